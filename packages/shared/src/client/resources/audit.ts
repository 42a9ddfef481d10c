import type { AuditEvent, AuditPage } from '../../contract/index.ts';
import { type FromWire, fromWire, toWire } from '../camel-case.ts';
import type { ListOptions } from '../wire-client.ts';
import type { WireSource } from './wire-source.ts';

/** The record of who did what. */
export interface AuditResource {
  /** Events, newest first. Sends `GET /api/v1/audit`. Throws `forbidden`, `invalid_request`, 401's and the `network_…` codes. */
  list(options?: FromWire<ListOptions<AuditPage>>): Promise<FromWire<AuditEvent>[]>;
}

export const auditResource = (connect: WireSource): AuditResource => ({
  list: async (options = {}) => fromWire(await (await connect()).audit.list(toWire<ListOptions<AuditPage>>(options))),
});
