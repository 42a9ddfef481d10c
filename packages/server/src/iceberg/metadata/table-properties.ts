import { type Read, readProperties, refuse, shown, toRecord } from './json-fields.ts';

/** What engines put among the properties for the server to act on, and that is not stored. */
const RESERVED = new Set([
  'format-version',
  'uuid',
  'snapshot-count',
  'current-snapshot-summary',
  'current-snapshot-id',
  'current-snapshot-timestamp-ms',
  'current-schema',
  'default-partition-spec',
  'default-sort-order',
]);

/** PyIceberg reads a table's properties as settings of the client that opens it: these would send it elsewhere. */
const REDIRECTING_PREFIXES = /^(?:s3|client|gcs|adls|hdfs|hf|header|auth|rest)\./i;
const REDIRECTING = new Set([
  'io-impl',
  'py-io-impl',
  'write.py-location-provider.impl',
  'uri',
  'token',
  'credential',
  'warehouse',
  'default_scheme',
  'default_netloc',
]);

/**
 * Refuses properties that would make every PyIceberg that opens the table talk to another storage, with other credentials,
 * or load other code. For what a client sets and for files it registers. Throws `invalid_request`.
 */
export function checkTableProperties(properties: Readonly<Record<string, string>>): void {
  for (const name of Object.keys(properties)) {
    if (REDIRECTING_PREFIXES.test(name) || REDIRECTING.has(name.toLowerCase())) {
      refuse(
        `The table property ${shown(name)} is refused: it would make every client that opens the table use other storage, credentials or code.`,
      );
    }
  }
}

/** Properties a client sets, without those that are not stored. Throws `invalid_request`. */
export const readNewProperties: Read<Record<string, string>> = (value, where) => {
  const sent = Object.entries(readProperties(value, where));
  const properties = toRecord(sent.filter(([name]) => !RESERVED.has(name)));
  checkTableProperties(properties);
  return properties;
};

/** A whole number that a property holds; what is none counts as the default. */
export function propertyAsCount(properties: Readonly<Record<string, string>>, name: string, otherwise: number): number {
  const text = Object.hasOwn(properties, name) ? properties[name] : undefined;
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : otherwise;
}
