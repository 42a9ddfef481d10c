import type { Command } from '@commander-js/extra-typings';
import type { CopiedTable } from '@pangolin/server';
import { type Column, type Context, dataFolder, examples, PangolinError, printList } from '@pangolin/shared/cli';
import { warnOfPassword } from './warn-of-password.ts';

interface MigrateDataOptions {
  from?: string;
  to?: string;
  overwrite?: true;
}

/** `migrate-data`: an installation into another database. */
export function registerMigrateData(program: Command, ctx: () => Context): void {
  program
    .command('migrate-data')
    .summary('move the data to PostgreSQL')
    .description(
      'Copies the database of a data directory into another one, which must be empty or a copy of it made before, and ' +
        'compares what arrived. Meanwhile servers on the data directory can be read from, and take no changes. Nothing ' +
        'is left behind half done; it can be repeated for as long as nobody uses the new database.',
    )
    .option('--from <place>', 'a data directory, or sqlite:FILE (PANGOLIN_DATA_DIR)')
    .option(
      '--to <url>',
      'postgres://USER@HOST/DATABASE (PANGOLIN_DATABASE_URL), its password in PGPASSWORD; or sqlite:FILE',
    )
    .option('--overwrite', 'replace a copy that was used since')
    .addHelpText(
      'after',
      examples(
        'pangolin-admin migrate-data --to postgres://pangolin@db.example.com/pangolin',
        'pangolin-admin migrate-data --from sqlite:./data/pangolin.db --to postgres://pangolin@localhost/pangolin',
      ),
    )
    .action((options) => migrateData(ctx(), options));
}

const columns: Column<CopiedTable>[] = [
  { title: 'TABLE', value: ({ table }) => table },
  { title: 'ROWS', value: ({ rows }) => rows, terminal: ({ rows }) => rows.toLocaleString('en') },
  { title: 'SHA-256', value: ({ sha256 }) => sha256, flexible: true },
];

async function migrateData(ctx: Context, options: MigrateDataOptions): Promise<void> {
  const from = options.from ?? dataFolder(ctx.edges);
  const to = options.to ?? ctx.edges.env.PANGOLIN_DATABASE_URL;
  if (!to) {
    throw new PangolinError('invalid_argument', 'There is nowhere to move the data to.', {
      hint: 'Give --to postgres://USER@HOST/DATABASE, or set PANGOLIN_DATABASE_URL.',
    });
  }
  await warnOfPassword(ctx, '--to', options.to);
  const { loadOperations } = await import('@pangolin/server');
  const { moveData } = await loadOperations();
  const say = createProgress(ctx);
  const moved = await moveData({
    from,
    to,
    overwrite: options.overwrite ?? false,
    onProgress: say,
    ownerName: ctx.edges.accountName,
    client: ctx.client,
  });
  if (ctx.flags.json) {
    const { installationId, tables } = moved;
    return ctx.print({
      json: { installation_id: installationId, from: moved.from, to: moved.to, tables },
      plain: '',
    });
  }
  await printList(ctx, columns, moved.tables, 'There was nothing to copy.');
  await ctx.say(`Copied ${moved.from} to ${moved.to}, and compared every row.`);
  await ctx.say('Now stop the servers on the data directory, and run this again if they changed anything since.');
  await ctx.say('Then serve the new database, with the same master key and the same warehouse files:');
  await ctx.say(
    `  PANGOLIN_DATABASE_URL=… pangolin-admin serve --data-dir DIR   (DIR: the old data directory, or one with a copy of its master.key)`,
  );
}

const EVERY_ROWS = 50_000;

/** A remark for each table that has rows, and now and then for a large one. */
function createProgress(ctx: Context) {
  let said = 0;
  return ({ table, rows, total }: { table: string; rows: number; total: number }): void => {
    if (rows < total && rows - said < EVERY_ROWS) return;
    said = rows < total ? rows : 0;
    void ctx.say(`${table}: ${rows.toLocaleString('en')} of ${total.toLocaleString('en')}`);
  };
}
