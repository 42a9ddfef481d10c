import { PangolinError } from '@pangolin/shared/errors';
import { endOf } from '../credentials/caller.ts';
import type { MaybePromise } from '../maybe-promise.ts';
import { mayAccess } from '../policies/catalog-access.ts';
import { type Answer, answerText, type IcebergRequest } from './answer.ts';
import { encodeNamespace, type Identifier } from './identifiers.ts';
import { type SnapshotMode, selectSnapshots } from './metadata/select-snapshots.ts';
import type { TableMetadata } from './metadata/table-metadata.ts';
import { writeTableMetadata } from './metadata/write-table-metadata.ts';
import type { MetadataFile } from './metadata-files.ts';
import { listOwnDirectories } from './tables.ts';
import { isWithin } from './warehouse/location.ts';
import type { VendedCredentials } from './warehouse/warehouse.ts';

/** Reads `?snapshots=`. Throws `invalid_request`. */
export function readSnapshotMode(query: URLSearchParams): SnapshotMode {
  const mode = query.get('snapshots') ?? 'all';
  if (mode === 'all' || mode === 'refs') return mode;
  throw new PangolinError('invalid_request', `snapshots must be all or refs, not ${JSON.stringify(mode)}.`);
}

/** A LoadTableResult; 304 for a client that has this very version and needs no new credentials. */
export function answerLoad(
  request: IcebergRequest,
  identifier: Identifier,
  file: MetadataFile<TableMetadata>,
  mode: SnapshotMode,
): MaybePromise<Answer> {
  const etag = etagOf(file, mode);
  if (!wantsCredentials(request)) {
    if (matches(request.header('if-none-match'), etag)) return { status: 304, text: null, headers: { etag } };
    return answerText(writeLoaded(file.location, textOf(file, mode), null), { etag });
  }
  return vendFor(request, identifier, file.metadata).then((vended) =>
    answerText(writeLoaded(file.location, textOf(file, mode), vended), { etag }),
  );
}

/**
 * A LoadTableResult of a table that was created or registered just now. What is committed is not refused any more: where
 * no credentials can be had, the client asks for them again.
 */
export async function answerCreated(
  request: IcebergRequest,
  identifier: Identifier,
  file: MetadataFile<TableMetadata>,
): Promise<Answer> {
  const { deps, caller } = request;
  const vending = wantsCredentials(request) ? vendFor(request, identifier, file.metadata) : null;
  const vended = await vending?.catch((err) => {
    deps.log.warn({ err, request_id: caller.origin.requestId }, 'no credentials for a table created just now');
    return null;
  });
  return answerText(writeLoaded(file.location, file.text, vended ?? null), { etag: etagOf(file, 'all') });
}

/** A LoadTableResult of a table that was only staged: without a metadata file, and without an ETag. */
export async function answerStaged(
  request: IcebergRequest,
  identifier: Identifier,
  metadata: TableMetadata,
): Promise<Answer> {
  const vended = wantsCredentials(request) ? await vendFor(request, identifier, metadata) : null;
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
  identifier: Identifier,
  metadata: TableMetadata,
): Promise<Answer> {
  return answerText(JSON.stringify({ 'storage-credentials': toStorage(await vendFor(request, identifier, metadata)) }));
}

const textOf = (file: MetadataFile<TableMetadata>, mode: SnapshotMode): string => {
  const selected = selectSnapshots(file.metadata, mode);
  return selected === file.metadata ? file.text : writeTableMetadata(selected);
};

function writeLoaded(location: string | null, metadata: string, vended: VendedCredentials | null): string {
  const head = location === null ? '' : `"metadata-location":${JSON.stringify(location)},`;
  if (vended === null) return `{${head}"metadata":${metadata},"config":{}}`;
  const [config, credentials] = [vended.config, toStorage(vended)].map((one) => JSON.stringify(one));
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

async function vendFor(
  { caller, catalog, base }: IcebergRequest,
  { namespace, name }: Identifier,
  metadata: TableMetadata,
): Promise<VendedCredentials | null> {
  const { root } = catalog.warehouse;
  const vended = await catalog.warehouse.vend({
    locations: listOwnDirectories(metadata).filter((location) => isWithin(root, location)),
    access: mayAccess(caller.actor, 'write', catalog.name, namespace) ? 'write' : 'read',
    principal: caller.actor.name,
    endsAtMs: endOf(caller.actor.credential),
  });
  if (vended === null) return null;
  // Java's clients renew credentials there, below the address of the catalog.
  const endpoint = `${base}/namespaces/${encodeNamespace(namespace)}/tables/${encodeURIComponent(name)}/credentials`;
  return { ...vended, config: { ...vended.config, 'client.refresh-credentials-endpoint': endpoint } };
}

const etagOf = ({ tag }: MetadataFile<unknown>, mode: SnapshotMode): string =>
  `"${tag}${mode === 'all' ? '' : '-refs'}"`;

/** RFC 9110 §13.1.2; weakly, as the section says. */
const matches = (header: string | undefined, etag: string): boolean =>
  header
    ?.split(',')
    .map((one) => one.trim().replace(/^W\//, ''))
    .some((one) => one === etag || one === '*') ?? false;
