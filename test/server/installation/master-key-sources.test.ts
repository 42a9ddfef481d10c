import { chmod, chown, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { signingKeysApi } from '@pangolin/shared/contract';
import { describe, expect, test } from 'vitest';
import { openMasterKey } from '../../../packages/server/src/installation/master-key.ts';
import { createSigningKeys } from '../../../packages/server/src/signing-keys/signing-keys.ts';
import { createFolder, mint, openTestServer, standingOf } from '../harness.ts';
import { rotate } from '../signing-keys/keys.ts';

const bytes = (fill: number) => Buffer.alloc(32, fill);
const [FIRST, SECOND] = [bytes(0xfb), bytes(0x1a)];

const refusalOf = (opening: Promise<unknown>) =>
  opening.then(
    () => {
      throw new Error('it was opened');
    },
    (error) => error,
  );

async function writeKey(text: string, mode = 0o600): Promise<string> {
  const path = join(await createFolder(), 'key');
  await writeFile(path, text);
  await chmod(path, mode);
  return path;
}

describe('PANGOLIN_MASTER_KEY', () => {
  test('takes the place of the file in the data directory, in any spelling of the same key', async () => {
    const server = await openTestServer({ masterKey: FIRST.toString('base64') });
    const { token } = await mint(server, server.owner);
    expect((await readdir(server.dataDir)).filter((name) => name.includes('master'))).toEqual([]);
    const { dataDir } = server;
    for (const masterKey of [
      FIRST.toString('base64url'),
      FIRST.toString('hex'),
      FIRST.toString('hex').toUpperCase(),
      ` ${FIRST.toString('base64')}\n`,
      `${SECOND.toString('hex')},${FIRST.toString('base64')}`,
    ]) {
      const again = await openTestServer({ dataDir, masterKey });
      await rotate(again);
      await again.close();
      const back = await openTestServer({ dataDir, masterKey: `${FIRST.toString('hex')}, ${SECOND.toString('hex')}` });
      expect(await standingOf(back.bearer(token))).toBe('ok');
      await back.close();
    }
  });

  test.each([
    ['too short', FIRST.subarray(1).toString('base64')],
    ['too long', Buffer.concat([FIRST, FIRST]).toString('base64')],
    ['no base64', `${'!'.repeat(43)}=`],
    ['a bad second key', `${FIRST.toString('base64')},hunter2hunter2`],
    ['only commas', ',,'],
  ])('that is %s is a usage error that says how to make one and never shows it', async (_, masterKey) => {
    const dataDir = join(await createFolder(), 'data');
    const error = await refusalOf(openTestServer({ dataDir, masterKey }));
    expect(error).toMatchObject({ code: 'invalid_argument', exitCode: 2 });
    expect(error.message).toContain('PANGOLIN_MASTER_KEY');
    expect(error.hint).toContain('openssl rand -base64 32');
    expect(error.message + error.hint).not.toContain(masterKey);
    await expect(readdir(dataDir)).rejects.toThrow();
  });

  test('together with PANGOLIN_MASTER_KEY_FILE is a usage error', async () => {
    const error = await refusalOf(openTestServer({ masterKey: FIRST.toString('hex'), masterKeyFile: '/x' }));
    expect(error).toMatchObject({ code: 'invalid_argument' });
    expect(error.hint).toContain('unset');
  });

  test('of another database is refused at the start, saying what to do', async () => {
    const server = await openTestServer({ masterKey: FIRST.toString('hex') });
    const error = await refusalOf(openTestServer({ dataDir: server.dataDir, masterKey: SECOND.toString('hex') }));
    expect(error).toMatchObject({
      code: 'master_key_missing',
      message: expect.stringContaining('PANGOLIN_MASTER_KEY'),
    });
    expect(error.hint).toContain('rotate-master-key');
    expect(error.message + error.hint).not.toContain(SECOND.toString('hex'));
  });

  test('says so when the file in the data directory is the one that opens it, and takes its place by a rotation', async () => {
    const server = await openTestServer();
    const { token } = await mint(server, server.owner);
    await server.close();
    const { dataDir } = server;
    const path = join(dataDir, 'master.key');
    const error = await refusalOf(openTestServer({ dataDir, masterKey: FIRST.toString('hex') }));
    expect(error).toMatchObject({ code: 'master_key_missing', message: expect.stringContaining(path) });
    expect(error.hint).toContain('unset PANGOLIN_MASTER_KEY');
    const both = `${FIRST.toString('hex')},${(await readFile(path, 'utf8')).trim()}`;
    const moving = await openTestServer({ dataDir, masterKey: both });
    expect(await moving.owner.call(signingKeysApi.reseal)).toEqual({
      source: 'PANGOLIN_MASTER_KEY',
      replaced: false,
      resealed: 2,
    });
    await moving.close();
    const moved = await openTestServer({ dataDir, masterKey: FIRST.toString('hex') });
    expect(await standingOf(moved.bearer(token))).toBe('ok');
  });

  test('is rotated by hand: with one key the answer says how, with two the first takes over', async () => {
    const server = await openTestServer({ masterKey: FIRST.toString('hex') });
    const problem = await server.owner.refused(signingKeysApi.reseal);
    expect(problem).toMatchObject({ status: 409, code: 'conflict' });
    expect(problem.hint).toContain('openssl rand -base64 32');
    expect(problem.hint).toContain('a comma and the old one');
    await server.close();
    const { dataDir } = server;
    const both = await openTestServer({ dataDir, masterKey: `${SECOND.toString('hex')},${FIRST.toString('hex')}` });
    expect(await both.owner.call(signingKeysApi.reseal)).toMatchObject({ replaced: false, resealed: 2 });
    expect(await both.owner.call(signingKeysApi.reseal)).toMatchObject({ replaced: false, resealed: 0 });
    await both.close();
    await (await openTestServer({ dataDir, masterKey: SECOND.toString('hex') })).close();
    expect(await refusalOf(openTestServer({ dataDir, masterKey: FIRST.toString('hex') }))).toMatchObject({
      code: 'master_key_missing',
    });
  });
});

describe('PANGOLIN_MASTER_KEY_FILE', () => {
  test('names a file, also a mounted one behind links, and makes none in the data directory', async () => {
    const path = await writeKey(`${SECOND.toString('base64')}\n${FIRST.toString('hex')}\n`, 0o400);
    const link = `${path}-link`;
    await symlink(path, link);
    const server = await openTestServer({ masterKeyFile: link });
    await mint(server, server.owner);
    expect((await readdir(server.dataDir)).filter((name) => name.includes('master'))).toEqual([]);
    await server.close();
    await (await openTestServer({ dataDir: server.dataDir, masterKey: SECOND.toString('hex') })).close();
  });

  test.each([0o640, 0o604, 0o644, 0o620, 0o602, 0o777])(
    'is refused when others can use it (mode %o), saying how to mend that',
    async (mode) => {
      const path = await writeKey(FIRST.toString('hex'), mode);
      const isRoot = process.geteuid?.() === 0;
      const opening = openTestServer({ masterKeyFile: path });
      // A secret of root's that a group may read was given to that group.
      if (isRoot && mode === 0o640) return void (await opening);
      const error = await refusalOf(opening);
      expect(error).toMatchObject({ code: 'master_key_missing', message: expect.stringContaining(path) });
      expect(error.message).toContain(`mode 0${mode.toString(8)}`);
      expect(error.hint).toContain('chmod 400');
      expect(error.hint).toContain('defaultMode');
    },
  );

  test('is refused when it is another user’s, and root’s when everybody can read it', async () => {
    const isRoot = process.geteuid?.() === 0;
    const path = isRoot ? await writeKey(FIRST.toString('hex')) : '/etc/passwd';
    if (isRoot) await chown(path, 12_345, 12_345);
    const error = await refusalOf(openTestServer({ masterKeyFile: path }));
    expect(error).toMatchObject({ code: 'master_key_missing' });
    expect(error.message).toContain(isRoot ? 'another user (uid 12345' : 'can be used by others');
  });

  test('is refused when it is missing, no file, or holds no key, and what it holds is never shown', async () => {
    const folder = await createFolder();
    await mkdir(join(folder, 'sub'));
    const wrong = await writeKey('hunter2-is-not-a-key');
    for (const [masterKeyFile, problem] of [
      [join(folder, 'none'), 'there is no'],
      [join(folder, 'sub'), 'is not a file'],
      [wrong, '32 random bytes'],
    ] as const) {
      const error = await refusalOf(openTestServer({ masterKeyFile }));
      expect(error).toMatchObject({ code: 'master_key_missing', message: expect.stringContaining(problem) });
      expect(error.message).toContain('PANGOLIN_MASTER_KEY_FILE');
      expect(error.message + error.hint).not.toContain('hunter2');
    }
  });

  test('is rotated by hand', async () => {
    const path = await writeKey(FIRST.toString('hex'));
    const server = await openTestServer({ masterKeyFile: path });
    const problem = await server.owner.refused(signingKeysApi.reseal);
    expect(problem).toMatchObject({ status: 409, code: 'conflict' });
    expect(problem.hint).toContain('PANGOLIN_MASTER_KEY_FILE');
    await writeFile(path, `${SECOND.toString('hex')}\n${FIRST.toString('hex')}\n`);
    expect(await server.owner.call(signingKeysApi.reseal)).toEqual({
      source: 'PANGOLIN_MASTER_KEY_FILE',
      replaced: false,
      resealed: 2,
    });
    await writeFile(path, SECOND.toString('hex'));
    await rotate(server);
    await mint(server, server.owner);
  });
});

describe('servers with data directories of their own on one database', () => {
  test('refuse to start with another master key, saying what to do', async () => {
    const { deps } = await openTestServer();
    for (const [own, problem] of [
      [null, 'is missing'],
      [SECOND.toString('base64'), 'does not open this database'],
    ] as const) {
      const dataDir = await createFolder();
      if (own !== null) await writeFile(join(dataDir, 'master.key'), own, { mode: 0o600 });
      const masterKey = openMasterKey({ dataDir, isShared: true });
      const error = await refusalOf(createSigningKeys({ ...deps, masterKey }).open());
      expect(error).toMatchObject({ code: 'master_key_missing', message: expect.stringContaining(problem) });
      expect(error.hint).toContain("copy the first server's master.key");
      expect(error.hint).toContain('PANGOLIN_MASTER_KEY_FILE');
      if (own === null) expect(await readdir(dataDir)).toEqual([]);
    }
  });

  test('are not left behind by a rotation of one’s own file: people put the new key into each', async () => {
    const server = await openTestServer();
    const { dataDir } = server;
    const path = join(dataDir, 'master.key');
    const old = await readFile(path, 'utf8');
    server.deps.masterKey = openMasterKey({ dataDir, isShared: true });
    const problem = await server.owner.refused(signingKeysApi.reseal);
    expect(problem).toMatchObject({ status: 409, code: 'conflict' });
    expect(problem.hint).toContain("every server's master.key");
    expect(await readFile(path, 'utf8')).toBe(old);
    await writeFile(path, `${SECOND.toString('base64')}\n${old}`);
    expect(await server.owner.call(signingKeysApi.reseal)).toEqual({
      source: 'data-directory',
      replaced: false,
      resealed: 2,
    });
    await writeFile(path, SECOND.toString('base64'));
    await rotate(server);
    await mint(server, server.owner);
  });
});
