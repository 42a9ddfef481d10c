import type {
  AuditChain,
  AuditCheckpoint,
  AuditCount,
  AuditEvent,
  AuditFilter,
  AuditPage,
  AuditVerification,
  AuditVerificationPage,
} from '../../contract/index.ts';
import { type FromWire, fromWire, toWire } from '../camel-case.ts';
import type { ListOptions } from '../wire-client.ts';
import type { WireSource } from './wire-source.ts';

/** The record of who did what. Every method throws `forbidden`, `invalid_request`, 401's and the `network_…` codes. */
export interface AuditResource {
  /** Events, newest first unless the order is `asc`. Sends `GET /api/v1/audit`. */
  list(options?: FromWire<ListOptions<AuditPage>>): Promise<FromWire<AuditEvent>[]>;
  /** How many such events there are. Sends `GET /api/v1/audit/count`. */
  count(filter?: FromWire<AuditFilter>): Promise<FromWire<AuditCount>>;
  /** One event. Sends `GET /api/v1/audit/{id}`. Throws `not_found`. */
  get(id: string, options?: FromWire<AuditChain>): Promise<FromWire<AuditEvent>>;
  /** Walks along a chain; where it is not `complete`, go on `afterSeq`. Sends `GET /api/v1/audit/verify`. */
  verify(options?: FromWire<Partial<AuditVerificationPage>>): Promise<FromWire<AuditVerification>>;
  /** Has the server vouch for the chain up to now. Sends `POST /api/v1/audit/checkpoints`. */
  createCheckpoint(options?: FromWire<AuditChain>): Promise<FromWire<AuditCheckpoint>>;
}

export const auditResource = (connect: WireSource): AuditResource => ({
  list: async (options = {}) => fromWire(await (await connect()).audit.list(toWire<ListOptions<AuditPage>>(options))),
  count: async (filter = {}) => fromWire(await (await connect()).audit.count(toWire<AuditFilter>(filter))),
  get: async (id, options = {}) => fromWire(await (await connect()).audit.get(id, toWire<AuditChain>(options))),
  verify: async (options = {}) =>
    fromWire(await (await connect()).audit.verify(toWire<Partial<AuditVerificationPage>>(options))),
  createCheckpoint: async (options = {}) =>
    fromWire(await (await connect()).audit.createCheckpoint(toWire<AuditChain>(options))),
});
