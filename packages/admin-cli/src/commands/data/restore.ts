import type { Command } from '@commander-js/extra-typings';
import type { Restored, RestorePlan, SurvivingCredential } from '@pangolin/server';
import {
  type Column,
  type Context,
  confirmDestruction,
  examples,
  formatTime,
  printDone,
  toTable,
} from '@pangolin/shared/cli';
import { readDataDir, readFileName } from './read-data-dir.ts';

interface RestoreOptions {
  dataDir?: string;
  keepCredentials?: true;
  masterKeyFile?: string;
  yes?: true;
}

/** `restore`: a backup back into a data directory. */
export function registerRestore(program: Command, ctx: () => Context): void {
  program
    .command('restore')
    .summary('restore a backup')
    .description(
      'Puts a backup back, into the data directory it is of, where servers may go on meanwhile, or into a new one. Every ' +
        'token, key and password ends by that. With --keep-credentials those stay that were good when the backup was ' +
        'made and are good still: what was revoked, rotated, changed or issued since the backup is not accepted again.',
    )
    .argument('<file>', 'a file that backup wrote')
    .option('--data-dir <folder>', "where to (PANGOLIN_DATA_DIR; default: the platform's data folder)")
    .option('--keep-credentials', 'leave credentials that are good on both sides')
    .option('--master-key-file <file>', 'the master key of the backup, for a new data directory')
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      examples(
        'pangolin-admin restore pangolin.tgz',
        'pangolin-admin restore pangolin.tgz --data-dir ./restored --master-key-file ./master.key',
        'pangolin-admin restore pangolin.tgz --keep-credentials --yes',
      ),
    )
    .action((file, options) => restore(ctx(), file, options));
}

async function restore(ctx: Context, name: string, options: RestoreOptions): Promise<void> {
  const dataDir = readDataDir(ctx, 'restore', options.dataDir);
  const keepCredentials = options.keepCredentials ?? false;
  const { loadOperations } = await import('@pangolin/server');
  const { prepareRestore } = await loadOperations();
  const prepared = await ctx.working(
    'Checking the backup',
    prepareRestore({
      dataDir,
      file: readFileName('restore', name),
      keepCredentials,
      keyFile: options.masterKeyFile ?? null,
      masterKey: ctx.edges.env.PANGOLIN_MASTER_KEY,
      masterKeyFile: ctx.edges.env.PANGOLIN_MASTER_KEY_FILE,
      ownerName: ctx.edges.accountName,
      client: ctx.client,
    }),
  );
  try {
    const { plan } = prepared;
    await announce(ctx, plan, dataDir, keepCredentials);
    if (!(await confirmDestruction(ctx, options, questionOf(plan, dataDir)))) return;
    const restored = await ctx.working('Restoring', prepared.apply());
    await report(ctx, plan, restored, dataDir, keepCredentials);
  } finally {
    await prepared.close();
  }
}

const questionOf = ({ manifest, replaces }: RestorePlan, dataDir: string): string =>
  `${replaces ? `Replace what is in ${dataDir}` : `Restore into ${dataDir}`} by the backup of ${formatTime(manifest.created_at)}?`;

const columns: Column<SurvivingCredential>[] = [
  { title: 'TYPE', value: ({ type }) => type },
  { title: 'ID', value: ({ id }) => id },
  { title: 'OWNER', value: ({ owner }) => owner, flexible: true },
  { title: 'NAME', value: ({ name }) => name, flexible: true },
  { title: 'LAST USED', value: (row) => row.last_used_at, terminal: (row) => formatTime(row.last_used_at) || 'never' },
  { title: 'EXPIRES', value: (row) => row.expires_at, terminal: (row) => formatTime(row.expires_at) },
];

/** What is about to happen, before anybody is asked: on stderr. */
async function announce(ctx: Context, plan: RestorePlan, dataDir: string, keepCredentials: boolean): Promise<void> {
  const { manifest, survivors } = plan;
  await ctx.say(
    `Backup of ${formatTime(manifest.created_at)} UTC, made by Pangolin ${manifest.product_version}: ` +
      `${manifest.counts.tokens ?? 0} tokens, ${manifest.counts.users ?? 0} users, ${manifest.counts.catalogs ?? 0} catalogs.`,
  );
  if (plan.movedFrom !== null) {
    await ctx.say(
      `Its tables were made under ${plan.movedFrom} and name their files there: restore to that path, or they are not found.`,
    );
  }
  if (!keepCredentials) return ctx.say('Every token, API key and password will have ended.');
  if (!plan.replaces) {
    await ctx.say(
      `There is nothing in ${dataDir} to compare with: what was revoked since the backup was made CANNOT BE KNOWN, and is accepted again.`,
    );
  }
  await ctx.say(
    `${survivors.length === 0 ? 'No credential' : `${survivors.length} credentials`} will be accepted afterwards${survivors.length === 0 ? '.' : ':'}`,
  );
  if (survivors.length === 0) return;
  const width = ctx.edges.stderr.isTTY ? (ctx.edges.stderr.columns ?? 80) : Number.POSITIVE_INFINITY;
  await ctx.say(toTable(columns, survivors, await ctx.style('stderr'), width).trimEnd());
}

async function report(
  ctx: Context,
  plan: RestorePlan,
  { files, chains }: Restored,
  dataDir: string,
  keepCredentials: boolean,
): Promise<void> {
  for (const { chain, seq } of chains.replaced) {
    await ctx.say(
      `The audit log of ${chain} had gone another way than the backup's (${seq} events); the backup's was taken.`,
    );
  }
  if (files.different.length > 0) {
    await ctx.say(
      `${files.different.length} files are not as they were, and were left: ${files.different.slice(0, 5).join(', ')}`,
    );
  }
  if (plan.masterKeyFrom !== null)
    await ctx.say(`The master key of ${plan.masterKeyFrom} is now in ${dataDir}/master.key.`);
  await printDone(
    ctx,
    {
      restored: true,
      data_dir: dataDir,
      installation_id: plan.manifest.installation_id,
      backup_created_at: plan.manifest.created_at,
      counts: plan.manifest.counts,
      files_added: files.added,
      files_different: files.different,
      replaced_histories: chains.replaced,
      revocations_known: plan.replaces,
      surviving_credentials: plan.survivors,
    },
    `Restored ${dataDir} (${files.added} files put back).`,
  );
  if (keepCredentials) return;
  await ctx.say(
    'Issue new credentials: pangolin-admin reset-password, pangolin-admin rotate-service-user-key, pangolin-user get-token.',
  );
}
