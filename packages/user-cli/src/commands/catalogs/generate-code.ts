import { resolve } from 'node:path';
import { type Command, Option } from '@commander-js/extra-typings';
import { type Context, examples, findServer, PangolinError } from '@pangolin/shared/cli';
import { writeCurl, writeDremio } from './http-snippets.ts';
import { writePyiceberg, writePyspark } from './python-snippets.ts';
import { quoteShell } from './quoting.ts';
import type { Snippet, SnippetRequest } from './snippet.ts';
import { writeDuckdb, writeTrino } from './sql-snippets.ts';
import { readTableName, type TableName } from './table-name.ts';

const LANGUAGES = ['pyiceberg', 'pyspark', 'trino', 'duckdb', 'dremio', 'curl'] as const;
type Language = (typeof LANGUAGES)[number];

interface GenerateCodeOptions {
  language: Language;
  table?: TableName;
  auth: SnippetRequest['auth'];
}

/** `generate-code`: a snippet that opens the catalog with an engine, the secret taken from the environment. */
export function registerGenerateCode(program: Command, ctx: () => Context): void {
  program
    .command('generate-code')
    .summary('print code that opens the catalog')
    .description(
      'Prints code that lists the tables of the catalog default, or loads one table, with the engine of your choice. ' +
        'It holds no secret: it takes a token from PANGOLIN_TOKEN.',
    )
    .addOption(new Option('--language <language>', 'for what').choices(LANGUAGES).makeOptionMandatory())
    .option(
      '--table <catalog.namespace.table>',
      'the table to load; a name that holds a dot goes into double quotes or backticks: \'default."my.ns".t\'',
      readTableName,
    )
    .addOption(
      new Option('--auth <how>', "a token, or a service user's PANGOLIN_CLIENT_ID and PANGOLIN_CLIENT_SECRET")
        .choices(['token', 'credential'] as const)
        .default('token' as const),
    )
    .addHelpText(
      'after',
      examples(
        'pangolin-user generate-code --language pyiceberg',
        'pangolin-user generate-code --language duckdb --table default.sales.orders',
        'pangolin-user generate-code --language pyiceberg --auth credential --json',
      ),
    )
    .action((options) => generateCode(ctx(), options));
}

const WRITERS: Record<Language, (request: SnippetRequest) => Snippet> = {
  pyiceberg: writePyiceberg,
  pyspark: writePyspark,
  trino: writeTrino,
  duckdb: writeDuckdb,
  dremio: writeDremio,
  curl: writeCurl,
};

/** Variables that name a file of certificate authorities. */
const CA_VARIABLES: Partial<Record<Language, string>> = { pyiceberg: 'REQUESTS_CA_BUNDLE', curl: 'CURL_CA_BUNDLE' };

async function generateCode(ctx: Context, { language, table, auth }: GenerateCodeOptions): Promise<void> {
  const { origin, caFile } = await findServer(await ctx.connectOptions(false), ctx.edges);
  const url = requirePlain(origin ?? 'http://localhost:8080');
  const { code, needs, setup } = WRITERS[language]({ origin: url, auth, table: table ?? null });
  const trust = CA_VARIABLES[language];
  const steps = [
    ...setup,
    ...(caFile !== undefined && trust !== undefined ? [`export ${trust}=${quoteShell(resolve(caFile))}`] : []),
    ...(auth === 'token' ? [tokenStep(ctx)] : CREDENTIAL_STEPS),
  ];
  if (ctx.edges.stderr.isTTY) {
    await ctx.say(`Needs ${needs}.`);
    if (origin === null) await ctx.say(`It asks ${url}: start the server there with pangolin-admin serve.`);
    if (caFile !== undefined && trust === undefined) await ctx.say(`It has to trust ${resolve(caFile)}.`);
    if (auth === 'credential') await ctx.say("The id and key are a service user's: pangolin-admin create-service-user");
    await ctx.say(`First, in a shell:\n${steps.map((step) => `  ${step}\n`).join('')}`);
  }
  const json = { language, table: table?.text ?? null, url, snippet: code, needs, setup: steps };
  await ctx.print({ json, plain: code });
}

/** The address goes into literals of six languages; a host's name needs none of the characters that end one. */
function requirePlain(origin: string): string {
  if (/^https?:\/\/[A-Za-z0-9._:[\]-]+$/.test(origin)) return origin;
  throw new PangolinError('invalid_argument', `Code cannot hold the address ${origin}.`, {
    hint: 'Give the address of the server, such as https://pangolin.example.com or http://localhost:8080',
  });
}

function tokenStep({ flags }: Context): string {
  const server = [
    ...(flags.url === undefined ? [] : ['--url', flags.url]),
    ...(flags.profile === undefined ? [] : ['--profile', flags.profile]),
  ].map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : quoteShell(word)));
  return `export PANGOLIN_TOKEN=$(${['pangolin-user get-token --scope catalog:read', ...server].join(' ')})`;
}

const CREDENTIAL_STEPS = [
  'read -r PANGOLIN_CLIENT_ID && export PANGOLIN_CLIENT_ID',
  'read -rs PANGOLIN_CLIENT_SECRET && export PANGOLIN_CLIENT_SECRET',
];
