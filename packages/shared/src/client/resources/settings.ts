import type { Settings, SettingsChange, UpdateSettings } from '../../contract/index.ts';
import { type FromWire, fromWire, toWire } from '../camel-case.ts';
import type { WireSource } from './wire-source.ts';

/** The tenant's limits. Every method also throws the `network_…` codes and 401's. */
export interface SettingsResource {
  /** Sends `GET /api/v1/config/settings`. */
  get(): Promise<FromWire<Settings>>;
  /**
   * Changes limits; lowering one refuses longer-lived tokens from that moment. With `dryRun` it only tells which.
   * Sends `PUT /api/v1/config/settings`. Throws `forbidden`, `invalid_request`.
   */
  update(input: FromWire<UpdateSettings>, options?: { dryRun?: boolean }): Promise<FromWire<SettingsChange>>;
}

export const settingsResource = (connect: WireSource): SettingsResource => ({
  get: async () => fromWire(await (await connect()).settings.get()),
  update: async (input, options) =>
    fromWire(await (await connect()).settings.update(toWire<UpdateSettings>(input), options)),
});
