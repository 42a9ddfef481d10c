import { PangolinError } from '@pangolin/shared/errors';
import { endOf } from '../credentials/caller.ts';
import type { MaybePromise } from '../maybe-promise.ts';
import { mayAccess } from '../policies/catalog-access.ts';
import { type Answer, answerText, type IcebergRequest } from './answer.ts';
import type { Levels } from './identifiers.ts';
import { stringifyJson } from './json.ts';
import { selectSnapshots } from './metadata/select-snapshots.ts';
import type { TableMetadata } from './metadata/table-metadata.ts';
import { writeTableMetadata } from './metadata/write-table-metadata.ts';
import type { MetadataFile } from './metadata-files.ts';
import { listOwnDirectories } from './tables.ts';
import { isWithin } from './warehouse/location.ts';
import type { VendedCredentials } from './warehouse/warehouse.ts';

type SnapshotMode = 'all' | 'refs';

/** Reads `?snapshots=`. Throws `invalid_request`. */
export function readSnapshotMode(query: URLSearchParams): SnapshotMode {
  const mode = query.get('snapshots') ?? 'all';
  if (mode === 'all' || mode === 'refs') return mode;
  throw new PangolinError('invalid_request', `snapshots must be all or refs, not ${JSON.stringify(mode)}.`);
}

/** A LoadTableResult; 304 for a client that has this very version and needs no new credentials. */
export function answerLoad(
  request: IcebergRequest,
  namespace: Levels,
  file: MetadataFile<TableMetadata>,
  mode: SnapshotMode,
): MaybePromise<Answer> {
  const etag = etagOf(file, mode);
  if (!wantsCredentials(request)) {
    if (matches(request.header('if-none-match'), etag)) return { status: 304, text: null, headers: { etag } };
    return answerText(writeLoaded(file.location, textOf(file, mode), null), { etag });
  }
  return vendFor(request, namespace, file.metadata).then((vended) =>
    answerText(writeLoaded(file.location, textOf(file, mode), vended), { etag }),
  );
}

/** A LoadTableResult of a table that was only staged: without a metadata file, and without an ETag. */
export async function answerStaged(
  request: IcebergRequest,
  namespace: Levels,
  metadata: TableMetadata,
): Promise<Answer> {
  const vended = wantsCredentials(request) ? await vendFor(request, namespace, metadata) : null;
  return answerText(writeLoaded(null, writeTableMetadata(metadata), vended));
}

/** A CommitTableResponse. */
export const answerCommitted = (file: MetadataFile<TableMetadata>): Answer =>
  answerText(`{"metadata-location":${JSON.stringify(file.location)},"metadata":${file.text}}`, {
    etag: etagOf(file, 'all'),
  });

/** A LoadCredentialsResponse. */
export async function answerCredentials(
  request: IcebergRequest,
  namespace: Levels,
  metadata: TableMetadata,
): Promise<Answer> {
  return answerText(stringifyJson({ 'storage-credentials': toStorage(await vendFor(request, namespace, metadata)) }));
}

const textOf = (file: MetadataFile<TableMetadata>, mode: SnapshotMode): string => {
  const selected = selectSnapshots(file.metadata, mode);
  return selected === file.metadata ? file.text : writeTableMetadata(selected);
};

function writeLoaded(location: string | null, metadata: string, vended: VendedCredentials | null): string {
  const head = location === null ? '' : `"metadata-location":${JSON.stringify(location)},`;
  if (vended === null) return `{${head}"metadata":${metadata},"config":{}}`;
  const [config, credentials] = [vended.config, toStorage(vended)].map(stringifyJson);
  return `{${head}"metadata":${metadata},"config":${config},"storage-credentials":${credentials}}`;
}

const toStorage = (vended: VendedCredentials | null) =>
  vended === null ? [] : vended.prefixes.map((prefix) => ({ prefix, config: vended.config }));

/** Of local files a client needs no credentials. */
function wantsCredentials({ catalog, header }: IcebergRequest): boolean {
  if (catalog.warehouse.root.startsWith('file:')) return false;
  const modes = header('x-iceberg-access-delegation')?.split(',') ?? [];
  return modes.some((mode) => mode.trim().toLowerCase() === 'vended-credentials');
}

function vendFor({ caller, catalog }: IcebergRequest, namespace: Levels, metadata: TableMetadata) {
  const { root } = catalog.warehouse;
  return catalog.warehouse.vend({
    locations: listOwnDirectories(metadata).filter((location) => isWithin(root, location)),
    access: mayAccess(caller.actor, 'write', catalog.name, namespace) ? 'write' : 'read',
    principal: caller.actor.name,
    endsAtMs: endOf(caller.actor.credential),
  });
}

const etagOf = ({ tag }: MetadataFile<unknown>, mode: SnapshotMode): string =>
  `"${tag}${mode === 'all' ? '' : '-refs'}"`;

/** RFC 9110 §13.1.2; weakly, as the section says. */
const matches = (header: string | undefined, etag: string): boolean =>
  (header ?? '')
    .split(',')
    .map((one) => one.trim().replace(/^W\//, ''))
    .some((one) => one === etag || one === '*');
