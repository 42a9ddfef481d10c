import type { JsonObject } from '../json.ts';
import type { Schema } from '../metadata/table-metadata.ts';

/** The only format version views have (Iceberg view spec). */
export const VIEW_FORMAT_VERSION = 1;

/**
 * The metadata of a view as its file has it (Iceberg view spec), with every list and map present.
 * Values are never changed in place: a commit shares with its base what it did not touch.
 */
export interface ViewMetadata {
  readonly 'view-uuid': string;
  readonly 'format-version': typeof VIEW_FORMAT_VERSION;
  readonly location: string;
  readonly schemas: readonly Schema[];
  readonly 'current-version-id': number;
  readonly versions: readonly ViewVersion[];
  readonly 'version-log': readonly VersionLogEntry[];
  readonly properties: Readonly<Record<string, string>>;
  /** Members this release does not know, as a newer engine wrote them. */
  readonly unknown: JsonObject;
}

/** What a view was at one time, with members unknown here. */
export interface ViewVersion {
  readonly 'version-id': number;
  readonly 'timestamp-ms': number;
  readonly 'schema-id': number;
  readonly summary: Readonly<Record<string, string>>;
  readonly 'default-catalog'?: string;
  readonly 'default-namespace': readonly string[];
  readonly representations: readonly ViewRepresentation[];
}

/** How a view is defined; `sql` and `dialect` are there for the type `sql`, the only one there is. */
export interface ViewRepresentation {
  readonly type: string;
  readonly sql?: string;
  readonly dialect?: string;
}

export interface VersionLogEntry {
  readonly 'timestamp-ms': number;
  readonly 'version-id': number;
}
