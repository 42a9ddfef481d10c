import type { MasterKeyRotation, SigningKey, SigningKeyRotation } from '../../contract/index.ts';
import { type FromWire, fromWire } from '../camel-case.ts';
import type { ListOptions } from '../wire-client.ts';
import type { WireSource } from './wire-source.ts';

/** The keys that sign tokens, and the master key they are sealed with; for root (`forbidden`). */
export interface SigningKeysResource {
  /** Sends `GET /api/v1/signing-keys`; one page, or every one with `all`. */
  list(options?: ListOptions): Promise<FromWire<SigningKey>[]>;
  /** Signs with the next key from now on; no token is invalidated. Sends `POST /api/v1/signing-keys/rotate`. */
  rotate(): Promise<FromWire<SigningKeyRotation>>;
  /**
   * Rotates the master key. Sends `POST /api/v1/signing-keys/reseal`. Throws `conflict` where the key is kept in a variable
   * or a file elsewhere that holds no second one.
   */
  reseal(): Promise<FromWire<MasterKeyRotation>>;
}

export function signingKeysResource(connect: WireSource): SigningKeysResource {
  const signingKeys = async () => (await connect()).signingKeys;
  return {
    list: async (options) => fromWire(await (await signingKeys()).list(options)),
    rotate: async () => fromWire(await (await signingKeys()).rotate()),
    reseal: async () => fromWire(await (await signingKeys()).reseal()),
  };
}
