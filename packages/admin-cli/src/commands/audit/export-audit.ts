import { type Command, Option } from '@commander-js/extra-typings';
import { type Context, examples, isClosedPipe, PangolinError, type WireClient, writeText } from '@pangolin/shared/cli';
import type { AuditCheckpoint, AuditEvent } from '@pangolin/shared/contract';
import { auditEventText, canonicalJson } from '@pangolin/shared/contract/audit-event-text';
import { chainOption, countEvents } from './event-filters.ts';

/** The most a server answers at once. */
const PAGE_LENGTH = 1_000;

/** `export-audit`: the whole log, in a form that can be verified without a server. */
export function registerExportAudit(program: Command, ctx: () => Context): void {
  program
    .command('export-audit')
    .summary('write the audit log to stdout, signed at its end')
    .description(
      'Writes every audit event to stdout, the oldest first, one JSON object a line, and as the last line a checkpoint: ' +
        'a signature that vouches for all of it. verify-audit --file finds any change of it. An export without its ' +
        'checkpoint did not finish.',
    )
    .addOption(new Option('--format <format>', 'what is written').choices(['jsonl'] as const).default('jsonl' as const))
    .addOption(chainOption())
    .addHelpText(
      'after',
      examples(
        'pangolin-admin export-audit --format jsonl > audit.jsonl',
        'pangolin-admin export-audit --chain system > system.jsonl',
      ),
    )
    .action((options) => exportAudit(ctx(), options));
}

async function exportAudit(ctx: Context, { chain }: { chain?: 'system' }): Promise<void> {
  const { client } = await ctx.connect();
  const which = chain === undefined ? {} : { chain };
  const checkpoint = await client.audit.createCheckpoint(which);
  const lines = exportLines(client, which, checkpoint);
  try {
    for await (const text of lines) await writeText(ctx.edges.stdout, text);
  } catch (cause) {
    if (isClosedPipe(cause)) return;
    await ctx.say('The export is incomplete: it has no checkpoint, and will not verify.');
    if (cause instanceof PangolinError) throw cause;
    throw new PangolinError('output_failed', 'The export could not be written to standard output.', { cause });
  }
  const { seq, time, kid } = checkpoint;
  await ctx.say(`${countEvents(seq)} of chain ${checkpoint.chain}, up to ${time}, signed by ${kid}.`);
}

/** Some lines at a time: events 1 to the checkpoint's, then the checkpoint. */
async function* exportLines(
  client: WireClient,
  which: { chain?: 'system' },
  checkpoint: AuditCheckpoint,
): AsyncGenerator<string> {
  let last: Pick<AuditEvent, 'seq' | 'hash'> | undefined;
  while ((last?.seq ?? 0) < checkpoint.seq) {
    const after = last?.seq ?? 0;
    const asked = { ...which, order: 'asc', after_seq: after, limit: PAGE_LENGTH } as const;
    const events = (await client.audit.list(asked)).filter(({ seq }) => seq <= checkpoint.seq);
    for (const [i, { seq }] of events.entries()) if (seq !== after + i + 1) throw missing(after + i + 1);
    if (events.length === 0) throw missing(after + 1);
    last = events.at(-1);
    yield events.map(toLine).join('');
  }
  if (checkpoint.seq > 0 && last?.hash !== checkpoint.hash)
    throw new PangolinError('audit_log_broken', `Event ${checkpoint.seq} is not the one that was just signed.`, {
      hint: 'See what is wrong: pangolin-admin verify-audit',
    });
  yield `${canonicalJson({ ...checkpoint, type: 'checkpoint' })}\n`;
}

const toLine = ({ hash, ...event }: AuditEvent): string =>
  `${auditEventText({ ...event, details: canonicalJson(event.details) }, hash)}\n`;

const missing = (seq: number) =>
  new PangolinError('audit_log_broken', `The audit log has no event ${seq}, though events after it are on record.`, {
    hint: 'See what is wrong: pangolin-admin verify-audit',
  });
