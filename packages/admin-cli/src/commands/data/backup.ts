import type { Command } from '@commander-js/extra-typings';
import { type Context, examples, PangolinError, printObject } from '@pangolin/shared/cli';
import { readDataDir, readFileName } from './read-data-dir.ts';

interface BackupOptions {
  dataDir?: string;
  includeMasterKey?: true;
  force?: true;
}

/** `backup`: the data directory in one file, while it is in use. */
export function registerBackup(program: Command, ctx: () => Context): void {
  program
    .command('backup')
    .summary('back up the data directory')
    .description(
      'Writes the database and the files of its tables to one tar file (compressed: .tgz or .tar.gz), which only you can ' +
        'read. Servers and commands may go on meanwhile. Without the master key the backup opens nothing: keep both, ' +
        'apart from each other.',
    )
    .argument('<file>', 'where the backup goes')
    .option('--data-dir <folder>', "the data (PANGOLIN_DATA_DIR; default: the platform's data folder)")
    .option('--include-master-key', 'put the master key into the backup too')
    .option('--force', 'replace the file if it is there')
    .addHelpText(
      'after',
      examples(
        'pangolin-admin backup pangolin.tgz',
        'pangolin-admin backup /backups/monday.tar --include-master-key --force',
      ),
    )
    .action((file, options) => backup(ctx(), file, options));
}

async function backup(ctx: Context, name: string, options: BackupOptions): Promise<void> {
  const dataDir = readDataDir(ctx, 'backup', options.dataDir);
  const file = readFileName('backup', name);
  const { loadOperations } = await import('@pangolin/server');
  const { backUp } = await loadOperations();
  const includeMasterKey = options.includeMasterKey ?? false;
  const made = await ctx.working(
    'Backing up',
    backUp({
      dataDir,
      file,
      force: options.force ?? false,
      includeMasterKey,
      masterKey: ctx.edges.env.PANGOLIN_MASTER_KEY,
      masterKeyFile: ctx.edges.env.PANGOLIN_MASTER_KEY_FILE,
      ownerName: ctx.edges.accountName,
      client: ctx.client,
    }).catch(explainMissing),
  );
  const { manifest, files } = made;
  for (const one of made.elsewhere) await ctx.say(`Not in it: the files of catalog ${one.name}, at ${one.location}.`);
  if (files.vanished.length > 0) await ctx.say(`Not in it: ${count(files.vanished)} dropped while it was made.`);
  if (files.skipped.length > 0) await ctx.say(`Not in it: ${count(files.skipped)} that are links or the like.`);
  if (!made.isAudited) await ctx.say('Not recorded in the audit log: the database is of an older release.');
  await ctx.say(
    includeMasterKey
      ? 'The master key is in it: whoever has this file can issue every credential. Keep it as you keep the key.'
      : `Without the master key it cannot be restored: keep a copy of ${dataDir}/master.key elsewhere.`,
  );
  await printObject(
    ctx,
    {
      file: made.file,
      size_bytes: made.sizeBytes,
      ...manifest,
      files: { count: files.count, size_bytes: files.sizeBytes, vanished: files.vanished, skipped: files.skipped },
      elsewhere: made.elsewhere,
    },
    {
      file: made.file,
      size_bytes: made.sizeBytes,
      created_at: manifest.created_at,
      installation_id: manifest.installation_id,
      tokens: manifest.counts.tokens,
      catalogs: manifest.counts.catalogs,
      audit_events: manifest.counts.audit_events,
      files: files.count,
      has_master_key: manifest.has_master_key,
    },
  );
}

const count = (files: string[]): string => (files.length === 1 ? '1 file' : `${files.length} files`);

function explainMissing(error: unknown): never {
  if (!(error instanceof PangolinError) || error.code !== 'no_server') throw error;
  throw new PangolinError('no_server', error.message.replace('No server is configured, and there', 'There'), {
    cause: error,
    hint: 'Name the data directory of the server: --data-dir DIR, or PANGOLIN_DATA_DIR',
  });
}
