import { spawnSync } from 'node:child_process';
import { chmod, chown, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Box, openBox } from './box.ts';
import { JWT_LINE, readClaims } from './credentials.ts';

const isRoot = process.geteuid?.() === 0;
/** What takes away root's right to write where nobody may; null where there is no such thing. */
const withoutOverride = ['setpriv', '--bounding-set=-dac_override,-dac_read_search'];
const before = isRoot
  ? spawnSync('setpriv', [...withoutOverride.slice(1), 'true']).status === 0
    ? withoutOverride
    : null
  : [];

let box: Box;
beforeEach(async () => {
  box = await openBox();
});
afterEach(() => box.remove());

const refusals = async (expected: RegExp, options = {}) => {
  for (const [binary, argv] of [
    ['pangolin-user', ['get-token']],
    ['pangolin-admin', ['create-service-user', '--name', 'etl']],
    ['pangolin-admin', ['serve', '--port', '0']],
  ] as const) {
    const { stdout, stderr, code } = await box.run(binary, [...argv], options);
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr).toMatch(expected);
  }
};

describe('the data directory', () => {
  test('is made for its owner alone', async () => {
    expect((await box.user(['get-token'])).code).toBe(0);
    expect((await stat(box.dataDir)).mode & 0o777).toBe(0o700);
    for (const name of await readdir(box.dataDir)) {
      expect({ name, mode: (await stat(`${box.dataDir}/${name}`)).mode & 0o777 }).toEqual({ name, mode: 0o600 });
    }
  });

  test('is refused when others can read it', async () => {
    await box.user(['get-token']);
    await chmod(box.dataDir, 0o755);
    await refusals(/pangolin can be used by others[\s\S]*chmod 700/);
  });

  if (isRoot)
    test('is refused when it belongs to somebody else', async () => {
      await box.user(['get-token']);
      await chown(box.dataDir, 65_534, 65_534);
      await refusals(/pangolin belongs to another user/);
    });

  test('is refused when it is a file', async () => {
    await mkdir(dirname(box.dataDir), { recursive: true });
    await writeFile(box.dataDir, '');
    await refusals(/pangolin is not a directory/);
  });

  test('is refused when its master key is lost, and no other key is made', async () => {
    await box.user(['get-token']);
    await rm(`${box.dataDir}/master.key`);
    await refusals(/master key .* is missing/);
    expect(await readdir(box.dataDir)).not.toContain('master.key');
  });

  test('is neither minted from nor served when its master key is another one', async () => {
    await box.user(['get-token']);
    await writeFile(`${box.dataDir}/master.key`, `${Buffer.alloc(32, 7).toString('base64url')}\n`);
    for (const ended of [box.user(['get-token']), box.admin(['serve', '--port', '0'])]) {
      const { stdout, stderr, code } = await ended;
      expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
      expect(stderr).toMatch(/master\.key does not open this database/);
    }
  });

  if (before !== null)
    test('is refused when it cannot be written', async () => {
      await box.user(['get-token']);
      await chmod(box.dataDir, 0o500);
      await refusals(/database cannot be written/, { before: before ?? [] });
      await chmod(box.dataDir, 0o700);
      expect((await box.user(['get-token'])).code).toBe(0);
    });

  if (before !== null)
    test('is refused when it cannot be made', async () => {
      await mkdir(dirname(box.dataDir), { recursive: true });
      await chmod(dirname(box.dataDir), 0o500);
      await refusals(/cannot be written/, { before: before ?? [] });
      await chmod(dirname(box.dataDir), 0o700);
    });

  test('is refused when its database is damaged', async () => {
    await box.user(['get-token']);
    await writeFile(
      `${box.dataDir}/pangolin.db`,
      'this is not a database, and long enough to be looked at'.repeat(200),
    );
    await refusals(/not a Pangolin database/);
  });

  test('is made once by commands that all start first, and every token of theirs is listed', async () => {
    const minted = await Promise.all(Array.from({ length: 4 }, () => box.user(['get-token'])));
    for (const { stdout, code } of minted) {
      expect(code).toBe(0);
      expect(stdout).toMatch(JWT_LINE);
    }
    const listed = JSON.parse((await box.user(['list-tokens', '--json'])).stdout).map(({ id }: { id: string }) => id);
    expect(listed.sort()).toEqual(minted.map(({ stdout }) => readClaims(stdout).jti).sort());
  });
});
