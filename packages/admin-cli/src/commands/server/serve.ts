import type { Command } from '@commander-js/extra-typings';
import { type Context, dataFolder, examples, untilStopped } from '@pangolin/shared/cli';
import { PangolinError } from '@pangolin/shared/errors';
import { warnOfPassword } from '../data/warn-of-password.ts';
import { addServeOptions, readServeSettings, type ServeSettings } from './serve-settings.ts';

/** `serve`: the embedded server, over HTTP. */
export function registerServe(program: Command, ctx: () => Context): void {
  const command = program
    .command('serve')
    .summary('start the server')
    .description(
      'Serves the data directory until it is interrupted. It listens on this machine only, unless --host says ' +
        'otherwise; elsewhere it needs TLS, or --insecure-http [PANGOLIN_INSECURE_HTTP=true] behind a proxy that speaks ' +
        'it. Each setting is a flag or the variable in brackets; the flag goes first.',
    )
    .addHelpText(
      'after',
      examples(
        'pangolin-admin serve',
        'pangolin-admin serve --port 8181 --data-dir ./data',
        'pangolin-admin serve --host 0.0.0.0 --public-url https://pangolin.example.com --tls-cert tls.crt --tls-key tls.key',
        'pangolin-admin serve --database-url postgres://pangolin@db.example.com/pangolin',
        'pangolin-admin serve --trusted-proxy 10.0.0.0/8 --public-url https://pangolin.example.com',
        'pangolin-admin serve --no-auth',
      ),
    );
  addServeOptions(command).action((options: Record<string, unknown>) => serve(ctx(), options));
}

async function serve(ctx: Context, options: Record<string, unknown>): Promise<void> {
  const { env, accountName } = ctx.edges;
  const stopped = untilStopped(ctx);
  const settings = readServeSettings(options, env);
  const { shutdownDelay, tlsCert, tlsKey, dataDir: givenDir, ...given } = settings;
  const dataDir = givenDir ?? dataFolder(ctx.edges);
  const tls = readTls(settings);
  if (typeof options.databaseUrl === 'string') await warnOfPassword(ctx, '--database-url', options.databaseUrl);
  const noAuth = options.auth === false;
  const { startServer } = await import('@pangolin/server');
  const server = await startServer({
    ...without(given),
    dataDir,
    ownerName: accountName,
    port: settings.port ?? DEFAULT_PORT,
    insecureHttp: ctx.flags.insecureHttp || readInsecureHttp(env.PANGOLIN_INSECURE_HTTP),
    masterKey: env.PANGOLIN_MASTER_KEY,
    masterKeyFile: env.PANGOLIN_MASTER_KEY_FILE,
    noAuth,
    ...(ctx.flags.quiet && { log: createQuietLog(ctx, { warns: noAuth }) }),
    ...(tls && { tls }),
    ...(shutdownDelay !== undefined && { shutdownDelayMs: shutdownDelay * 1000 }),
  });
  const forget = ctx.edges.onReload(() => void server.reload());
  try {
    await announce(ctx, { dataDir, noAuth }, server);
    await stopped;
  } finally {
    await server.close();
    forget();
  }
  await ctx.say('Stopped.');
}

const DEFAULT_PORT = 8080;

type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** What was given at all. */
const without = <T extends object>(settings: T): Given<T> =>
  Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)) as Given<T>;

function readTls({ tlsCert: cert, tlsKey: key }: ServeSettings): { cert: string; key: string } | undefined {
  if (cert !== undefined && key !== undefined) return { cert, key };
  if (cert === undefined && key === undefined) return undefined;
  const missing = cert === undefined ? '--tls-cert (or PANGOLIN_TLS_CERT)' : '--tls-key (or PANGOLIN_TLS_KEY)';
  throw new PangolinError('invalid_argument', `TLS needs a certificate and its key: ${missing} is missing.`, {
    hint: 'pangolin-admin serve --tls-cert tls.crt --tls-key tls.key',
  });
}

function readInsecureHttp(value: string | undefined): boolean {
  if (value === undefined || value === 'false') return false;
  if (value === 'true') return true;
  throw new PangolinError('invalid_argument', `PANGOLIN_INSECURE_HTTP is ${JSON.stringify(value)}.`, {
    hint: 'Give true or false.',
  });
}

async function announce(
  ctx: Context,
  { dataDir, noAuth }: { dataDir: string; noAuth: boolean },
  { url, addresses }: { url: string; addresses: string[] },
): Promise<void> {
  if (ctx.flags.json)
    return ctx.print({ json: { url, addresses, data_dir: dataDir, auth_enabled: !noAuth }, plain: '' });
  await ctx.say(`Serving ${dataDir} at ${url} (listening on ${addresses.join(', ')})`);
  if (noAuth) await ctx.say(describeRisk(ctx));
  if (!ctx.terminal) return;
  await ctx.say('Try it, in another terminal:');
  for (const line of noAuth ? MINT_AS_DATAHUB : MINT_AND_ASK) await ctx.say(`  ${line.replace('URL', url)}`);
  await ctx.say('Stop it with Ctrl-C.');
}

const describeRisk = (ctx: Context): string =>
  'Warning: this server runs WITHOUT AUTHENTICATION. Every user and program on this machine that reaches it acts as its ' +
  `owner (${ctx.edges.accountName}), or as whom the header X-DataHub-Actor names. ` +
  'Tokens made here are refused by servers with authentication.';

const MINT_AND_ASK = ['TOKEN=$(pangolin-user get-token)', 'curl -H "Authorization: Bearer $TOKEN" URL/api/v1/users/me'];

const MINT_AS_DATAHUB = [
  "curl URL/api/graphql -H 'X-DataHub-Actor: urn:li:corpuser:datahub' -H 'Content-Type: application/json' \\",
  `  --data-raw '{"query":"mutation { createAccessToken(input: {type: PERSONAL, actorUrn: \\"urn:li:corpuser:datahub\\", ` +
    `duration: ONE_HOUR, name: \\"my personal token\\"}) { accessToken } }"}'`,
];

/** A log that keeps quiet but for errors; and for warnings, where those are about who may do what. */
function createQuietLog(ctx: Context, { warns }: { warns: boolean }) {
  const silent = () => {};
  const at = (level: string) => (fields: object, message: string) => {
    ctx.edges.stderr.write(`${JSON.stringify({ level, ...fields, msg: message })}\n`);
  };
  return { debug: silent, info: silent, warn: warns ? at('warn') : silent, error: at('error') };
}
