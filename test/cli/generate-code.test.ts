import { readdir } from 'node:fs/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readPython, readShell, readSql } from './code-tokens.ts';
import { user } from './programs.ts';
import { type CliOptions, type Home, openHome } from './run-cli.ts';

let home: Home;
beforeAll(async () => {
  home = await openHome();
});
afterAll(() => home.remove());

const LANGUAGES = ['pyiceberg', 'pyspark', 'trino', 'duckdb', 'dremio', 'curl'];
const SERVER = 'https://pangolin.example.com';

const generate = (argv: string[], options: CliOptions = {}) =>
  home.run(user, ['generate-code', ...argv], { ...options, env: { PANGOLIN_URL: SERVER, ...options.env } });

async function snippet(language: string, ...argv: string[]): Promise<string> {
  const { stdout, stderr, code } = await generate(['--language', language, ...argv]);
  expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
  return stdout;
}

const PYICEBERG = `import os

from pyiceberg.catalog import load_catalog

catalog = load_catalog(
    "default",
    **{
        "type": "rest",
        "uri": "${SERVER}/v1/default",
        "token": os.environ["PANGOLIN_TOKEN"],
    },
)
`;

describe('generate-code', () => {
  test('prints the snippet and nothing else in a pipe', async () => {
    expect(await snippet('pyiceberg', '--table', 'default.sales.orders')).toBe(`${PYICEBERG}
table = catalog.load_table("sales.orders")
print(table.schema())
print(table.scan(limit=10).to_arrow())
`);
  });

  test('lists the catalog default where no table is named', async () => {
    const code = await snippet('pyiceberg');
    expect(code.startsWith(PYICEBERG)).toBe(true);
    expect(code).toContain('catalog.list_namespaces(parent)');
    expect(code).toContain('catalog.list_tables(namespace)');
  });

  test('says on a terminal, on stderr, what to do first', async () => {
    const shown = await generate(['--language', 'pyiceberg'], { terminal: true });
    expect(shown).toEqual({
      stdout: await snippet('pyiceberg'),
      stderr: `Needs Python 3.10 or newer.
First, in a shell:
  pip install "pyiceberg[pyarrow]"
  export PANGOLIN_TOKEN=$(pangolin-user get-token --scope catalog:read)

`,
      code: 0,
    });
    const redirected = await generate(['--language', 'pyiceberg'], { stderrTerminal: true });
    expect(redirected).toEqual(shown);
    const quiet = await generate(['--language', 'pyiceberg', '--quiet'], { terminal: true });
    expect(quiet).toEqual({ ...shown, stderr: '' });
  });

  test('answers the whole object with --json', async () => {
    const { stdout, stderr, code } = await generate(['--language', 'duckdb', '--table', 'default.s.t', '--json'], {
      terminal: true,
    });
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    expect(JSON.parse(stdout)).toEqual({
      language: 'duckdb',
      table: 'default.s.t',
      url: SERVER,
      snippet: await snippet('duckdb', '--table', 'default.s.t'),
      needs: expect.stringContaining('1.4'),
      setup: ['pip install duckdb-cli', 'export PANGOLIN_TOKEN=$(pangolin-user get-token --scope catalog:read)'],
    });
  });

  test('means the embedded server where none is named: on this machine, to be started; and creates nothing', async () => {
    const { stdout, stderr, code } = await home.run(user, ['generate-code', '--language', 'curl', '--table', 'c.n.t'], {
      terminal: true,
    });
    expect({ stdout, code }).toEqual({
      stdout:
        `printf 'Authorization: Bearer %s\\n' "\${PANGOLIN_TOKEN:?is not set}" |\n` +
        "  curl -sS --fail-with-body -w '\\n' -H @- 'http://localhost:8080/v1/c/v1/namespaces/n/tables/t'\n",
      code: 0,
    });
    expect(stderr).toContain('pangolin-admin serve');
    expect(await readdir(home.folder)).toEqual([]);
  });

  test('names the server and profile that were asked for in what to do first', async () => {
    const { stdout, stderr } = await generate(
      ['--language', 'curl', '--url', 'http://10.0.0.1:1', '--ca-file', '/x/c a.pem'],
      { terminal: true },
    );
    expect(stdout).toContain("catalog='http://10.0.0.1:1/v1/default/v1'");
    expect(stderr).toContain('$(pangolin-user get-token --scope catalog:read --url http://10.0.0.1:1)');
    expect(stderr).toContain("export CURL_CA_BUNDLE='/x/c a.pem'\n");
  });

  test.each(LANGUAGES)('takes the secret from the environment, and never holds one: %s', async (language) => {
    const env = {
      PANGOLIN_TOKEN: 's3cret-token',
      PANGOLIN_CLIENT_ID: 's3cret-id',
      PANGOLIN_CLIENT_SECRET: 's3cret-key',
    };
    for (const [auth, names, others] of [
      ['token', ['PANGOLIN_TOKEN'], ['PANGOLIN_CLIENT_ID', 'PANGOLIN_CLIENT_SECRET']],
      ['credential', ['PANGOLIN_CLIENT_ID', 'PANGOLIN_CLIENT_SECRET'], ['PANGOLIN_TOKEN']],
    ] as const) {
      for (const more of [[], ['--table', 'default.a.b.t'], ['--json']]) {
        const argv = ['--language', language, '--auth', auth, ...more];
        const { stdout, stderr, code } = await generate(argv, { env, terminal: true });
        expect({ code, secret: (stdout + stderr).includes('s3cret') }).toEqual({ code: 0, secret: false });
        for (const name of names) expect(stdout).toContain(name);
        for (const name of others) expect(stdout).not.toContain(name);
        if (auth === 'credential') expect(stdout).toContain(`${SERVER}/v1/default/v1/oauth/tokens`);
      }
    }
  });

  test.each([
    [[]],
    [['--language', 'cobol']],
    [['--language', 'curl', '--auth', 'password']],
    [['--language', 'curl', '--url', "http://x'$(id)"]],
    [['--language', 'curl', '--table', '']],
    [['--language', 'curl', '--table', 'orders']],
    [['--language', 'curl', '--table', 'sales.orders']],
    [['--language', 'curl', '--table', 'default..orders']],
    [['--language', 'curl', '--table', 'default.sales.']],
    [['--language', 'curl', '--table', 'default.sales."orders']],
    [['--language', 'curl', '--table', 'default.sales."or"ders']],
    [['--language', 'curl', '--table', 'default.sales.""']],
    [['--language', 'curl', '--table', 'default."..".orders']],
    [['--language', 'curl', '--table', 'default.sales.or\nders']],
    [['--language', 'curl', '--table', 'default.sales.or\u202eders']],
    [['--language', 'curl', '--table', '../x.sales.orders']],
    [['--language', 'duckdb', '--table', 'default."my.ns".orders']],
    [['--language', 'trino', '--table', 'default."my.ns".orders']],
    [['--language', 'pyspark', '--table', `default.sales."\${env:HOME}"`]],
  ])('refuses %j with exit 2', async (argv) => {
    const { stdout, stderr, code } = await generate(argv);
    expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
    expect(stderr).toMatch(/^Error: /);
    expect(stderr).not.toMatch(/[^\n\P{Cc}]/u);
  });

  test.each(['bash', 'zsh', 'fish'])('is completed by %s, with its languages', async (shell) => {
    const { stdout } = await home.run(user, ['completion', shell]);
    expect(stdout).toContain('generate-code');
    expect(stdout).toContain(LANGUAGES.join(' '));
  });
});

const HOSTILE = [
  ...[
    '"',
    "'",
    '`',
    '\\',
    '"""',
    "'''",
    '$',
    '$(id)',
    `\${HOME}`,
    '%',
    '%1F',
    '%2e%2e',
    '#',
    '--',
    '/*',
    ';',
    '\\u0022',
  ],
  ...['.', '/', '?', '&', '+', ' ', '!', '*', '(', ')', '{', '}', '[', ']', '|', '<<EOF', ':', '::', '=', ',', '~'],
  ...['a', 'B', 'é', 'ß', '表', '𝒳', '\u00a0', '\u200d', 'EOF', 'SOURCE', '*/', '\\n', '\\', "\\'"],
];

/** A name a table may have that every language can write. */
const names = fc
  .array(fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ unit: 'grapheme', maxLength: 3 })), {
    minLength: 1,
    maxLength: 8,
  })
  .map((pieces) => pieces.join(''))
  .filter((name) => !/^\.{0,2}$|[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/u.test(name));

const levels = fc.array(names, { minLength: 1, maxLength: 3 });

/** The same path written with one quoting or the other, or without where that does. */
const written = (path: string[], marks: string[]): string =>
  path
    .map((name, at) => {
      const mark = marks[at % marks.length] ?? '"';
      return mark === '' && !/[."`]/.test(name) ? name : quoteWith(mark || '"', name);
    })
    .join('.');
const quoteWith = (mark: string, name: string) => mark + name.replaceAll(mark, mark + mark) + mark;

const marks = fc.array(fc.constantFrom('"', '`', ''), { minLength: 1, maxLength: 4 });

describe('whatever the names of a table hold', () => {
  /** What `read` finds in a snippet for these names, and in one for harmless ones of the same number. */
  async function compare<T>(
    language: string,
    auth: string,
    path: string[],
    quoting: string[],
    read: (code: string) => T,
  ) {
    const [hostile, harmless] = await Promise.all(
      [path, path.map((name, at) => (name.includes('.') ? `x.${at}` : `x${at}`))].map((one) =>
        snippet(language, '--auth', auth, `--table=default.${written(one, quoting)}`),
      ),
    );
    return { hostile: read(hostile ?? ''), harmless: read(harmless ?? '') };
  }

  const check = (
    prepare: (path: string[]) => string[],
    body: (path: string[], auth: string, quoting: string[]) => Promise<void>,
  ) =>
    fc.assert(
      fc.asyncProperty(levels, names, marks, fc.constantFrom('token', 'credential'), (namespace, name, quoting, auth) =>
        body(prepare([...namespace, name]), auth, quoting),
      ),
      { numRuns: 150 },
    );
  const asIs = (path: string[]) => path;

  test('PyIceberg is given them in string literals', () =>
    check(asIs, async (path, auth, quoting) => {
      const { hostile, harmless } = await compare('pyiceberg', auth, path, quoting, readPython);
      expect(hostile.shape).toBe(harmless.shape);
      const given = hostile.texts.slice(harmless.texts.findIndex((text) => text.startsWith('x')));
      expect(path.some((one) => one.includes('.')) ? given : given[0]?.split('.')).toEqual(path);
    }));

  test('Spark is given them in backticks, in one string literal', () =>
    check(
      (path) => path.map((name) => name.replaceAll(`\${`, '$')),
      async (path, auth, quoting) => {
        const { hostile, harmless } = await compare('pyspark', auth, path, quoting, readPython);
        expect(hostile.shape).toBe(harmless.shape);
        const sql = readSql(hostile.texts.find((text) => text.startsWith('pangolin.')) ?? '', '`');
        expect(sql).toEqual({ shape: `pangolin${'.§'.repeat(path.length)}`, texts: path });
      },
    ));

  const undotted = (path: string[]) =>
    path.map((name, at) => (at < path.length - 1 ? name.replaceAll('.', '_') : name));

  test('DuckDB is given them in delimited identifiers', () =>
    check(undotted, async (path, auth, quoting) => {
      const read = (code: string) => readSql(code, `"'`);
      const { hostile, harmless } = await compare('duckdb', auth, path, quoting, read);
      expect(hostile.shape).toBe(harmless.shape);
      expect(hostile.texts.slice(-2)).toEqual([path.slice(0, -1).join('.'), path.at(-1)]);
    }));

  test('Trino is given them in one remark', () =>
    check(undotted, async (path, auth, quoting) => {
      const read = (code: string) => code.split('\n').filter((line) => !line.includes('case-insensitive'));
      const { hostile, harmless } = await compare('trino', auth, path, quoting, read);
      expect(hostile.toSpliced(-2, 1)).toEqual(harmless.toSpliced(-2, 1));
      expect(readSql(hostile.at(-2) ?? '', '"')).toEqual({
        shape: '#   SELECT * FROM pangolin.§.§ LIMIT 10;',
        texts: [path.slice(0, -1).join('.'), path.at(-1)],
      });
    }));

  test('curl is given them in a URL, each level a part of one segment', () =>
    check(asIs, async (path, auth, quoting) => {
      const { hostile, harmless } = await compare('curl', auth, path, quoting, readShell);
      expect(hostile.shape).toBe(harmless.shape);
      const url = hostile.texts.find((text) => text.includes('/namespaces/')) ?? '';
      expect(url).toMatch(/^https:\/\/[\w.~/%-]+$/);
      const [namespace, name, ...rest] = url.split('/v1/namespaces/')[1]?.split('/tables/') ?? [];
      expect([...(namespace?.split('%1F') ?? []), name].map((one) => decodeURIComponent(one ?? ''))).toEqual(path);
      expect(rest).toEqual([]);
      expect(new URL(url).pathname).toBe(url.slice(SERVER.length));
    }));

  test('Dremio is given them in a URL and in one word', () =>
    check(asIs, async (path, auth, quoting) => {
      const { hostile, harmless } = await compare('dremio', auth, path, quoting, readShell);
      expect(hostile.shape).toBe(harmless.shape);
      const [url, , query] = hostile.texts.slice(-3);
      expect(url?.split('/').map(decodeURIComponent)).toEqual(['pangolin', ...path]);
      expect(readSql(query ?? '', '"')).toEqual({
        shape: `SELECT * FROM §${'.§'.repeat(path.length)} LIMIT 10`,
        texts: ['pangolin', ...path],
      });
    }));
});
