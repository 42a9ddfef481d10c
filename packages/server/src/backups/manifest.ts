import { PangolinError } from '@pangolin/shared/errors';
import * as z from 'zod/mini';

/** Raised when an older release could misread what a newer one writes. */
export const FORMAT_VERSION = 1;

/** The entries of a backup, in the order they stand in the tar file; the warehouses' files are between the last two. */
export const MANIFEST = 'manifest.json';
export const DATABASE = 'pangolin.db';
export const MASTER_KEY = 'master.key';
export const CHECKSUMS = 'sha256sums';

/** What a backup says of itself: its first entry. */
const Manifest = z.object({
  format: z.literal('pangolin-backup'),
  format_version: z.int(),
  product_version: z.string(),
  installation_id: z.uuid(),
  /** RFC 3339. */
  created_at: z.iso.datetime(),
  /** Where the data directory was; locations of tables on its disk begin with it. */
  data_dir: z.string(),
  /** What had run in the database. */
  migrations: z.array(z.string()),
  /** Rows by table. */
  counts: z.record(z.string(), z.int()),
  database: z.object({ size_bytes: z.int(), sha256: z.string() }),
  has_master_key: z.boolean(),
});

export type Manifest = z.infer<typeof Manifest>;

/** Reads the first entry of a backup. Throws `backup_unusable`, also for a format of a newer release. */
export function readManifest(bytes: Buffer): Manifest {
  const json = parseJson(bytes);
  const version = z.looseObject({ format: z.literal('pangolin-backup'), format_version: z.int() }).safeParse(json);
  if (!version.success) throw unusable('It is not a backup of Pangolin: its manifest.json is none of ours.');
  if (version.data.format_version !== FORMAT_VERSION) {
    throw new PangolinError(
      'backup_unusable',
      `The backup has format ${version.data.format_version}; this release reads format ${FORMAT_VERSION}.`,
      { hint: 'Restore it with the Pangolin release that wrote it, or a newer one.' },
    );
  }
  const manifest = Manifest.safeParse(json);
  if (manifest.success) return manifest.data;
  throw unusable('Its manifest.json is incomplete.');
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}

/** What is wrong with a backup file, in a sentence. */
export const unusable = (problem: string, cause?: unknown) =>
  new PangolinError('backup_unusable', problem, {
    cause,
    hint: 'Use another backup: a file that `pangolin-admin backup` wrote, whole and unchanged.',
  });
