import { type Command, InvalidArgumentError } from '@commander-js/extra-typings';
import { type Context, dataFolder, examples, untilStopped } from '@pangolin/shared/cli';

interface ServeOptions {
  port: number;
  host?: string;
  publicUrl?: string;
  dataDir?: string;
  s3RoleArn?: string;
}

/** `serve`: the embedded server, over HTTP. */
export function registerServe(program: Command, ctx: () => Context): void {
  program
    .command('serve')
    .summary('start the server')
    .description(
      'Serves the data directory over HTTP until it is interrupted. It listens on this machine only, unless --host ' +
        'says otherwise; elsewhere it needs --insecure-http, because it speaks no TLS.',
    )
    .option('--port <number>', 'where to listen; 0 takes a free port', readPort, 8080)
    .option('--host <address>', 'the address to listen on (default: 127.0.0.1 and ::1)', readFilled)
    .option('--public-url <url>', 'what clients reach the server by', readHttpUrl)
    .option('--data-dir <folder>', "the data (PANGOLIN_DATA_DIR; default: the platform's data folder)", readFilled)
    .option(
      '--s3-role-arn <arn>',
      'the role that short-lived credentials for tables on S3 are made with (PANGOLIN_S3_ROLE_ARN)',
      readFilled,
    )
    .addHelpText('after', examples('pangolin-admin serve', 'pangolin-admin serve --port 8181 --data-dir ./data'))
    .action((options) => serve(ctx(), options));
}

async function serve(ctx: Context, options: ServeOptions): Promise<void> {
  const stopped = untilStopped(ctx);
  const s3RoleArn = options.s3RoleArn ?? ctx.edges.env.PANGOLIN_S3_ROLE_ARN;
  const dataDir = options.dataDir ?? dataFolder(ctx.edges);
  const { startServer } = await import('@pangolin/server');
  const server = await startServer({
    dataDir,
    ownerName: ctx.edges.accountName,
    port: options.port,
    insecureHttp: ctx.flags.insecureHttp,
    ...(ctx.flags.quiet && { log: errorLog(ctx) }),
    ...(s3RoleArn && { s3RoleArn }),
    masterKey: ctx.edges.env.PANGOLIN_MASTER_KEY,
    masterKeyFile: ctx.edges.env.PANGOLIN_MASTER_KEY_FILE,
    ...(options.host !== undefined && { host: options.host }),
    ...(options.publicUrl !== undefined && { publicUrl: options.publicUrl }),
  });
  try {
    await announce(ctx, dataDir, server);
    await stopped;
  } finally {
    await server.close();
  }
  await ctx.say('Stopped.');
}

async function announce(ctx: Context, dataDir: string, server: { url: string; addresses: string[] }): Promise<void> {
  const { url, addresses } = server;
  if (ctx.flags.json) return ctx.print({ json: { url, addresses, data_dir: dataDir }, plain: '' });
  await ctx.say(`Serving ${dataDir} at ${url} (listening on ${addresses.join(', ')})`);
  if (!ctx.terminal) return;
  await ctx.say('Try it, in another terminal:');
  await ctx.say('  TOKEN=$(pangolin-user get-token)');
  await ctx.say(`  curl -H "Authorization: Bearer $TOKEN" ${url}/api/v1/users/me`);
  await ctx.say('Stop it with Ctrl-C.');
}

/** A log that keeps quiet but for errors. */
function errorLog(ctx: Context) {
  const silent = () => {};
  const error = (fields: object, message: string) => {
    ctx.edges.stderr.write(`${JSON.stringify({ level: 'error', ...fields, msg: message })}\n`);
  };
  return { debug: silent, info: silent, warn: silent, error };
}

function readPort(value: string): number {
  if (!/^\d{1,5}$/.test(value) || Number(value) > 65_535) {
    throw new InvalidArgumentError('Give a port from 0 to 65535.');
  }
  return Number(value);
}

function readFilled(value: string): string {
  if (value === '') throw new InvalidArgumentError('It is empty.');
  return value;
}

function readHttpUrl(value: string): string {
  if (!URL.canParse(value) || !/^https?:$/.test(new URL(value).protocol)) {
    throw new InvalidArgumentError('Give a URL such as https://pangolin.example.com.');
  }
  return value;
}
