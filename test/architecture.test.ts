import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const PACKAGES = fileURLToPath(new URL('../packages', import.meta.url));

interface Import {
  /** As in `server/src/tokens/routes.ts`. */
  from: string;
  /** A package's name, or a file as `from` is written. */
  to: string;
  isLate: boolean;
}

const sources = readdirSync(PACKAGES, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .flatMap((entry) => {
    const folder = join(PACKAGES, entry.name, 'src');
    return readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) =>
      relative(PACKAGES, join(folder, name)),
    );
  })
  .filter((path) => /\.tsx?$/.test(path))
  .map((path) => ({ path, text: readFileSync(join(PACKAGES, path), 'utf8') }));

const STATIC = /(?:^|\n)\s*(?:import|export)\s(?:[^'"`;]*?\sfrom\s)?\s*['"]([^'"]+)['"]/g;
const LATE = /\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;

const imports: Import[] = sources.flatMap(({ path, text }) => {
  const toImport = (to: string, isLate: boolean) => ({
    from: path,
    to: to.startsWith('.') ? join(dirname(path), to) : to,
    isLate,
  });
  return [
    ...[...text.matchAll(STATIC)].map((match) => toImport(match[1] ?? '', false)),
    ...[...text.matchAll(LATE)].map((match) => toImport(match[1] ?? '', true)),
  ];
});

const SHARED = '@pangolin/shared';
const isShared = (to: string) => to === SHARED || to.startsWith(`${SHARED}/`);
const isSharedCli = (to: string) => to.startsWith(`${SHARED}/cli`) || to.startsWith('shared/src/cli/');
const isPackage = (to: string, name: string) => to === name || to.startsWith(`${name}/`);
const isServer = (to: string) => to.startsWith('@pangolin/server') || to.startsWith('server/src/');
const within = (path: string, ...places: string[]) => places.some((place) => path.startsWith(place));
const contractPlaces = ['shared/src/contract/', 'shared/src/errors.ts'];

/** The composition root, which puts everything together. */
const SERVER_ROOTS = [
  'server/src/app.ts',
  'server/src/control.ts',
  'server/src/embedded.ts',
  'server/src/serve.ts',
  'server/src/operations.ts',
  'server/src/deps.ts',
];

/** `server/src/<feature>/<file>` → the feature. */
const featureOf = (path: string): string | undefined => /^server\/src\/([^/]+)\//.exec(path)?.[1];

/** A feature or a composition root; a small file that belongs to no feature, such as times.ts, is neither. */
const isOutsideStore = (to: string): boolean =>
  SERVER_ROOTS.includes(to) || (featureOf(to) !== undefined && !within(to, 'server/src/store/'));

const answersHttp = (from: string) =>
  /^server\/src\/[^/]+\/routes\.ts$/.test(from) ||
  within(from, 'server/src/http/') ||
  SERVER_ROOTS.includes(from) ||
  // OAuth answers errors in a dialect of its own, and knows clients by their headers.
  ['server/src/oauth/oauth-error.ts', 'server/src/oauth/client-authentication.ts'].includes(from);

/** The section "Who may import whom" of the architecture, a rule a line: what it says, and whom it finds breaking it. */
const RULES: Record<string, (one: Import) => boolean> = {
  'the contract uses nothing from node, and nothing of the other packages': ({ from, to }) =>
    within(from, ...contractPlaces) && !within(to, ...contractPlaces) && !isPackage(to, 'zod'),
  'shared imports the CLIs in shared/cli alone, and the server late': ({ from, to, isLate }) =>
    within(from, 'shared/src/') &&
    ((isSharedCli(to) && !within(from, 'shared/src/cli/')) || (isServer(to) && !isLate && !isTypeOnly(from, to))),
  'the server imports of shared only the contract': ({ from, to }) =>
    within(from, 'server/src/') &&
    (isSharedCli(to) ||
      within(to, 'shared/src/') ||
      (isShared(to) && !isPackage(to, `${SHARED}/contract`) && to !== `${SHARED}/errors`)),
  'the CLIs import shared, and the server late': ({ from, to, isLate }) =>
    within(from, 'user-cli/', 'admin-cli/') && isServer(to) && !isLate && !isTypeOnly(from, to),
  'the CLIs never import each other, and nobody imports them': ({ from, to }) =>
    /^(?:@pangolin\/)?(?:user|admin)-cli(?:\/|$)/.test(to) && packageOf(from) !== packageOf(to),
  'nobody imports the web UI': ({ from, to }) => /^(?:@pangolin\/)?web(?:\/|$)/.test(to) && packageOf(from) !== 'web',
  'packages reach each other by name, not by path': ({ from, to }) =>
    /^[a-z-]+\/src\//.test(to) && packageOf(from) !== packageOf(to),
  'in the server only routes, http and the composition roots import Hono': ({ from, to }) =>
    within(from, 'server/') && (isPackage(to, 'hono') || to.startsWith('@hono/')) && !answersHttp(from),
  'in the server only store.ts and store/ import Kysely': ({ from, to }) =>
    isPackage(to, 'kysely') && !/^server\/src\/(?:[^/]+\/store\.ts|store\/.+)$/.test(from),
  'only store/ imports the database driver': ({ from, to }) =>
    to === '@photostructure/sqlite' && !within(from, 'server/src/store/'),
  "a feature never imports another feature's store or routes": ({ from, to }) => {
    const [mine, other] = [featureOf(from), featureOf(to)];
    if (other === undefined || mine === other || SERVER_ROOTS.includes(from)) return false;
    return /^server\/src\/[^/]+\/(?:store|routes)\.ts$/.test(to);
  },
  'stores and rules do not import routes': ({ from, to }) => /\/routes\.ts$/.test(to) && !SERVER_ROOTS.includes(from),
  'stores import no rules': ({ from, to }) => /^server\/src\/[^/]+\/store\.ts$/.test(from) && isOutsideStore(to),
  'store/ imports no feature': ({ from, to }) => within(from, 'server/src/store/') && isOutsideStore(to),
  'only the way through a proxy imports undici': ({ from, to }) =>
    isPackage(to, 'undici') && from !== 'shared/src/client/proxied-channel.ts',
  'nobody imports the keyring, which may hang: it is loaded in a process of its own': ({ to }) =>
    isPackage(to, '@napi-rs/keyring'),
  'only the warehouses on S3 import its SDK': ({ from, to }) =>
    to.startsWith('@aws-sdk/') && !/^server\/src\/iceberg\/warehouse\/(?:s3(?:-\w+)*|vending)\.ts$/.test(from),
  'only passwords.ts hashes passwords': ({ from, to }) =>
    isPackage(to, '@node-rs/argon2') && from !== 'server/src/users/passwords.ts',
};

const packageOf = (path: string): string => path.replace(/^@pangolin\//, '').split('/')[0] ?? '';

/** Types vanish when the package is built. */
function isTypeOnly(from: string, to: string): boolean {
  const text = sources.find(({ path }) => path === from)?.text ?? '';
  const escaped = to.replace(/[/\-.]/g, '\\$&');
  return new RegExp(`import type [^;]*from ['"]${escaped}['"]`).test(text);
}

describe('who may import whom', () => {
  test('every import is read', () => {
    expect(imports.length).toBeGreaterThan(300);
    expect(imports).toContainEqual({
      from: 'server/src/tokens/routes.ts',
      to: 'server/src/tokens/mint.ts',
      isLate: false,
    });
    expect(imports.some(({ to, isLate }) => to === '@node-rs/argon2' && isLate)).toBe(true);
  });

  test.each(Object.entries(RULES))('%s', (_, breaks) => {
    expect(imports.filter(breaks).map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
  });
});

describe('one place for each dangerous thing', () => {
  const usersOf = (use: RegExp, ...allowed: string[]) =>
    sources
      .filter(({ path, text }) => use.test(withoutComments(text)) && !allowed.includes(path))
      .map(({ path }) => path);

  test('the environment is read in the composition roots', () => {
    const allowed = [
      'shared/src/cli/edges.ts',
      'shared/src/cli/run.ts',
      'shared/src/client/process-surroundings.ts',
      'server/src/config.ts',
    ];
    expect(usersOf(/\bprocess\.env\b/, ...allowed)).toEqual([]);
  });

  test('the server’s clock and random bytes come from its composition roots', () => {
    const inServer = (paths: string[]) => paths.filter((path) => within(path, 'server/'));
    expect(
      inServer(usersOf(/\bDate\.now\b|\bnew Date\(\)/, 'server/src/embedded.ts', 'server/src/operations.ts')),
    ).toEqual([]);
    // A master key and a nonce are no business of a test's.
    const makers = [
      'server/src/embedded.ts',
      'server/src/operations.ts',
      'server/src/installation/master-key-file.ts',
      'server/src/signing-keys/sealing.ts',
    ];
    expect(inServer(usersOf(/import \{[^}]*\brandomBytes\b[^}]*\} from 'node:crypto'/, ...makers))).toEqual([]);
  });

  test('no process is ended from inside', () => {
    expect(usersOf(/\bprocess\.exit\(/)).toEqual([]);
  });
});

describe('names', () => {
  test('files are kebab-case and named for what they hold', () => {
    const names = sources.map(({ path }) => path);
    expect(names.filter((path) => !/^(?:[a-z0-9-]+\/)+[a-z0-9-]+(?:\.d)?\.tsx?$/.test(path))).toEqual([]);
    expect(names.filter((path) => /\/(?:utils?|helpers?|common|misc|types)(?:\/|\.ts)/.test(path))).toEqual([]);
  });

  test('nothing is exported by default', () => {
    expect(
      sources.filter(({ text }) => /^export default\b|\bas default\b/m.test(text)).map(({ path }) => path),
    ).toEqual([]);
  });

  test('only package entries re-export', () => {
    const reExporting = sources
      .filter(({ text }) => /^export (?:\*|(?:type )?\{[^}]*\}) from/m.test(text))
      .map(({ path }) => path);
    expect(reExporting.filter((path) => !/\/index\.ts$/.test(path))).toEqual([]);
  });

  test('a file of more than 250 lines is one of the few that justify themselves', () => {
    const long = sources.filter(({ text }) => text.split('\n').length > 251).map(({ path }) => path);
    expect(long.length, long.join(', ')).toBeLessThanOrEqual(6);
  });
});

const withoutComments = (text: string) => text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
