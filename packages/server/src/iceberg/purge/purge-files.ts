import { createHash } from 'node:crypto';
import { type ErrorCode, PangolinError } from '@pangolin/shared/errors';
import type { Log } from '../../deps.ts';
import type { TableMetadata } from '../metadata/table-metadata.ts';
import { findWithin, formatLocation, readLocation } from '../warehouse/location.ts';
import type { Warehouse } from '../warehouse/warehouse.ts';
import { readManifest, readManifestList } from './manifests.ts';

/** A table that was dropped. */
export interface DroppedTable {
  warehouse: Warehouse;
  metadata: TableMetadata;
  /** The file `metadata` was read from. */
  metadataLocation: string;
  /**
   * Whether a file may be read and deleted: it lies in one of the table's own locations and in none of another table's.
   * Asked with normalised locations inside the warehouse.
   */
  mayDelete(location: string): boolean;
}

/** What was left alone, counted while the files are listed. */
export interface Skipped {
  /** Files that are named but not the table's own. */
  refused: number;
  /** Manifests and manifest lists that are no valid Avro files; what they name is not known. */
  unreadable: number;
}

/** How many manifests are remembered, so that one many snapshots share is read once; beyond, it is read again. */
const MAX_REMEMBERED = 1_000_000;

/**
 * The files of a dropped table in the stages they are to be deleted in, so that whoever is cut off can begin again: data
 * and delete files, manifests, manifest lists and statistics, earlier metadata files, the current one.
 *
 * One manifest is held at a time. Its paths were written by a client: they are normalised, and `mayDelete` judges each,
 * also before a manifest is read. A file may be listed twice, and need not exist. Throws `storage_…` and `unavailable`.
 */
export function listPurgeFiles(
  table: DroppedTable,
  skipped: Skipped,
  log: Pick<Log, 'warn'>,
): readonly AsyncIterable<string>[] {
  const { warehouse, metadata } = table;
  const root = readLocation(warehouse.root);

  function admit(path: string): string | null {
    const found = findWithin(root, path);
    const location = found && formatLocation(found);
    return location !== null && table.mayDelete(location) ? location : null;
  }

  async function* admitAll(paths: AsyncIterable<string> | Iterable<string>): AsyncGenerator<string> {
    for await (const path of paths) {
      const location = admit(path);
      if (location === null) skipped.refused += 1;
      else yield location;
    }
  }

  /** The paths that a file names; none if it is not there or not the table's own. */
  async function* readPaths(
    path: string,
    parse: (content: Uint8Array) => AsyncIterable<string>,
    report: (error: unknown) => void,
  ): AsyncGenerator<string> {
    const location = admit(path);
    if (location === null) return;
    const content = await warehouse.read(location).catch((error) => {
      if (isCode(error, 'invalid_request')) report(error);
      else if (!isCode(error, 'file_not_found')) throw error;
    });
    if (!content) return;
    try {
      yield* parse(content);
    } catch (error) {
      report(error);
    }
  }

  const reporting = (path: string) => (err: unknown) => {
    skipped.unreadable += 1;
    log.warn({ err, path }, 'a manifest cannot be read, so the files that only it names are kept');
  };

  /** The manifests of all snapshots, each once. */
  async function* listManifests(reportingList: typeof reporting): AsyncGenerator<string> {
    const seen = new Set<string>();
    for (const { manifests = [], 'manifest-list': list } of metadata.snapshots) {
      const paths = list === undefined ? manifests : readPaths(list, readManifestList, reportingList(list));
      for await (const path of paths) {
        const digest = createHash('sha256').update(path).digest('base64').slice(0, 16);
        if (seen.has(digest)) continue;
        if (seen.size < MAX_REMEMBERED) seen.add(digest);
        yield path;
      }
    }
  }

  async function* listDataFiles(): AsyncGenerator<string> {
    for await (const path of listManifests(reporting)) yield* readPaths(path, readManifest, reporting(path));
  }

  // What the first stage reported is not reported again.
  const quietly = () => () => {};
  return [
    admitAll(listDataFiles()),
    admitAll(listManifests(quietly)),
    admitAll([
      ...metadata.snapshots.flatMap((snapshot) => snapshot['manifest-list'] ?? []),
      ...[...metadata.statistics, ...metadata['partition-statistics']].map((file) => file['statistics-path']),
    ]),
    admitAll(metadata['metadata-log'].map((entry) => entry['metadata-file'])),
    admitAll([table.metadataLocation]),
  ];
}

const isCode = (error: unknown, code: ErrorCode): boolean => error instanceof PangolinError && error.code === code;
