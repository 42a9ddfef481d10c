import { createReadStream } from 'node:fs';
import type { Command } from '@commander-js/extra-typings';
import { type Context, examples, PangolinError, type WireClient } from '@pangolin/shared/cli';
import type { AuditVerification } from '@pangolin/shared/contract';
import { chainOption, countEvents } from './event-filters.ts';
import { readJwks, readJwksFile } from './read-jwks.ts';
import { verifyExport } from './verify-export.ts';

interface VerifyAuditOptions {
  file?: string;
  jwks?: string;
  chain?: 'system';
}

/** `verify-audit`: whether the audit log, or an export of it, is whole and unchanged. */
export function registerVerifyAudit(program: Command, ctx: () => Context): void {
  program
    .command('verify-audit')
    .summary('verify that the audit log is whole and unchanged')
    .description(
      'Verifies the audit log of the server: every event, that none is missing, and every checkpoint. With --file, an ' +
        'export of it: every byte. With --jwks as well, that takes no server and no data, and can be done anywhere by ' +
        'anybody who has the keys. Ends with exit code 1 and names the first event or line that is not as it was.',
    )
    .option('--file <file>', 'what export-audit wrote; - reads stdin')
    .option(
      '--jwks <file>',
      "the keys, as saved from the server's /.well-known/jwks.json; without it the server is asked",
    )
    .addOption(chainOption())
    .addHelpText(
      'after',
      examples('pangolin-admin verify-audit', 'pangolin-admin verify-audit --file audit.jsonl --jwks jwks.json'),
    )
    .action((options) => verifyAudit(ctx(), options));
}

async function verifyAudit(ctx: Context, { file, jwks, chain }: VerifyAuditOptions): Promise<void> {
  if (file !== undefined && chain !== undefined) throw usage('A file holds one chain: leave out --chain.');
  if (file !== undefined) return verifyFile(ctx, file, jwks);
  if (jwks !== undefined) throw usage('--jwks verifies a file: give it with --file.');
  const { client } = await ctx.connect();
  const found = await ctx.working('Verifying', verifyOnServer(client, chain));
  const { broken, events, seq, time, checkpoint } = found;
  if (broken) {
    throw new PangolinError(
      'audit_log_broken',
      `In chain ${found.chain}, event ${broken.seq}${broken.id === null ? '' : ` (id ${broken.id})`} ${broken.reason}.`,
      { hint: `${countEvents(events)} before it verified. Compare with an export from before: verify-audit --file` },
    );
  }
  const signed = checkpoint
    ? `signed by ${checkpoint.kid} up to seq ${checkpoint.seq} of ${checkpoint.time}`
    : 'not signed yet: pangolin-admin export-audit signs it';
  const when = time === null ? '' : ` of ${time}`;
  const line = `${countEvents(events)}, chain ${found.chain}, verified up to seq ${seq}${when}, ${signed}`;
  await ctx.print({ json: found, plain: `${line}\n` });
}

async function verifyFile(ctx: Context, file: string, jwks: string | undefined): Promise<void> {
  const keys = jwks === undefined ? await readServerKeys(ctx) : await readJwksFile(jwks);
  const input = file === '-' ? ctx.edges.stdin() : createReadStream(file, { highWaterMark: 256 * 1024 });
  const found = await ctx.working('Verifying', verifyExport(input, keys)).catch((cause) => {
    if (cause instanceof PangolinError || !(cause instanceof Error && 'syscall' in cause)) throw cause;
    throw new PangolinError('invalid_argument', `The file ${file} cannot be read.`, { cause });
  });
  const { events, chain, seq, time, kid } = found;
  const line = `${countEvents(events)}, chain ${chain}, verified up to seq ${seq} of ${time}, signed by ${kid}`;
  await ctx.print({ json: found, plain: `${line}\n` });
}

async function readServerKeys(ctx: Context) {
  const { client } = await ctx.connect();
  return readJwks(await client.app.jwks(), `What ${client.origin ?? 'the embedded server'} answered`);
}

/** In as many requests as it takes; the findings of all of them together. */
async function verifyOnServer(client: WireClient, chain: 'system' | undefined): Promise<AuditVerification> {
  const which = chain === undefined ? {} : { chain };
  let found = await client.audit.verify(which);
  while (!found.complete && !found.broken) {
    const more = await client.audit.verify({ ...which, after_seq: found.seq });
    if (more.seq <= found.seq && !more.complete && !more.broken)
      throw new PangolinError('unexpected_answer', 'The server verifies nothing and does not come to an end.');
    found = {
      ...more,
      time: more.time ?? found.time,
      events: found.events + more.events,
      checkpoints: found.checkpoints + more.checkpoints,
      checkpoint: more.checkpoint ?? found.checkpoint,
    };
  }
  return found;
}

const usage = (message: string) =>
  new PangolinError('invalid_argument', message, { hint: 'See: pangolin-admin verify-audit --help' });
