import { invalidAvro } from './avro-bytes.ts';
import { readAvroFile } from './avro-file.ts';
import type { AvroValue } from './avro-projection.ts';

/** An entry of a manifest that says a file is gone; an earlier snapshot's manifest says so otherwise if it is not. */
const STATUS_DELETED = 2;

/** The manifests that a manifest list names (Iceberg table spec, "Manifest Lists"), of data and of delete files alike. */
export async function* readManifestList(content: Uint8Array): AsyncGenerator<string> {
  for await (const record of readAvroFile(content, { manifest_path: 'string' })) {
    yield requirePath(record.manifest_path);
  }
}

/**
 * The files that a manifest has in the table (Iceberg table spec, "Manifests"): data files, and files of positional or
 * equality deletes or of deletion vectors.
 */
export async function* readManifest(content: Uint8Array): AsyncGenerator<string> {
  const wanted = { status: 'integer', data_file: { file_path: 'string' } } as const;
  for await (const { status, data_file: file } of readAvroFile(content, wanted)) {
    if (status === STATUS_DELETED) continue;
    yield requirePath(file !== null && typeof file === 'object' ? file.file_path : undefined);
  }
}

function requirePath(value: AvroValue | undefined): string {
  if (typeof value === 'string') return value;
  throw invalidAvro('an entry has no path');
}
