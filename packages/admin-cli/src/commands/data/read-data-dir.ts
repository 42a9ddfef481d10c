import { type Context, dataFolder, PangolinError } from '@pangolin/shared/cli';

/** The data directory a command works on. Throws `invalid_argument` when another server is named, or a database elsewhere. */
export function readDataDir(ctx: Context, name: string, dataDir: string | undefined): string {
  const { flags, edges } = ctx;
  if (flags.url !== undefined || flags.profile !== undefined) {
    throw new PangolinError(
      'invalid_argument',
      `${name} works on a data directory of this machine, not through a server.`,
      {
        hint: `Run it where the data is, without --url and --profile: pangolin-admin ${name} FILE --data-dir DIR`,
      },
    );
  }
  if (dataDir === undefined && edges.env.PANGOLIN_DATABASE_URL) {
    throw new PangolinError(
      'invalid_argument',
      'PANGOLIN_DATABASE_URL names a database, which has backups of its own.',
      {
        hint: 'For PostgreSQL use pg_dump and pg_restore; for a data directory give --data-dir.',
      },
    );
  }
  return dataDir ?? dataFolder(edges);
}

/** A path as it was typed. Throws for `-`: nobody wants a backup on a terminal. */
export function readFileName(name: string, file: string): string {
  if (file !== '-' && file !== '') return file;
  throw new PangolinError('invalid_argument', `${name} needs the name of a file; a pipe will not do.`, {
    hint: `For example: pangolin-admin ${name} pangolin-backup.tgz`,
  });
}
