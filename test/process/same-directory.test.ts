import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Box, openBox } from './box.ts';
import { KEY_LINE, readClaims, readId } from './credentials.ts';
import { isAccepted, isKeyAccepted } from './request.ts';
import { type Server, startServer } from './start-server.ts';

let box: Box;
let server: Server;
beforeAll(async () => {
  box = await openBox();
  server = await startServer(box);
});
afterAll(() => box.remove());

/** Runs tasks, at most so many at a time. */
async function inTurn<T>(tasks: Array<() => Promise<T>>, atATime: number): Promise<T[]> {
  const results: T[] = [];
  const waiting = tasks.entries();
  const work = async () => {
    for (const [index, task] of waiting) results[index] = await task();
  };
  await Promise.all(Array.from({ length: atATime }, work));
  return results;
}

describe('commands and a server on the same data', () => {
  test('30 tokens minted six at a time beside a busy server all work and are all listed', {
    timeout: 60_000,
  }, async () => {
    const probe = (await box.user(['get-token'])).stdout.trim();
    let busy = true;
    const load = (async () => {
      let answered = 0;
      for (; busy; answered += 1) expect(await isAccepted(server.origin, probe)).toBe(true);
      return answered;
    })();
    const minted = await inTurn(
      Array.from({ length: 30 }, () => () => box.user(['get-token'])),
      6,
    );
    busy = false;
    expect(await load).toBeGreaterThan(30);
    expect(minted.filter(({ code }) => code !== 0)).toEqual([]);
    for (const { stdout } of minted) expect(await isAccepted(server.origin, stdout.trim())).toBe(true);
    const listed = JSON.parse((await box.user(['list-tokens', '--json'])).stdout).map(({ id }: { id: string }) => id);
    expect(listed).toEqual(expect.arrayContaining(minted.map(({ stdout }) => readClaims(stdout).jti)));
    expect(listed).toHaveLength(31);
  });

  test('a revocation by a command holds at the server at once, also for a token it has just let in', async () => {
    const token = (await box.user(['get-token'])).stdout.trim();
    expect(await isAccepted(server.origin, token)).toBe(true);
    expect((await box.user(['revoke-token', '--id', readClaims(token).jti])).code).toBe(0);
    expect(await isAccepted(server.origin, token)).toBe(false);
  });

  test('a rotation by a command holds at the server at once, also for a key it has just let in', async () => {
    const { stdout, stderr } = await box.admin(['create-service-user', '--name', 'etl']);
    expect(await isKeyAccepted(server.origin, stdout.trim())).toBe(true);
    const rotated = await box.admin(['rotate-service-user-key', '--id', readId(stderr)]);
    expect(await isKeyAccepted(server.origin, stdout.trim())).toBe(false);
    expect(await isKeyAccepted(server.origin, rotated.stdout.trim())).toBe(true);
  });

  test('of two rotations at once one shows the only new key, and the other ends with 1 and a conflict', async () => {
    const { stdout: old, stderr } = await box.admin(['create-service-user', '--name', 'contended']);
    const id = readId(stderr);
    let current = old.trim();
    for (let round = 0, contended = 0; contended === 0 && round < 10; round += 1) {
      const both = await Promise.all([0, 1].map(() => box.admin(['rotate-service-user-key', '--id', id])));
      const shown = both.filter(({ code }) => code === 0);
      const refused = both.filter(({ code }) => code !== 0);
      contended = refused.length;
      for (const { stdout, stderr: said, code } of refused) {
        expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
        expect(said).toContain('rotated');
      }
      expect(shown.length).toBeGreaterThan(0);
      for (const { stdout } of shown) expect(stdout).toMatch(KEY_LINE);
      const works = await Promise.all(shown.map(({ stdout }) => isKeyAccepted(server.origin, stdout.trim())));
      expect(works.filter(Boolean)).toHaveLength(1);
      expect(await isKeyAccepted(server.origin, current)).toBe(false);
      current = shown[works.indexOf(true)]?.stdout.trim() ?? '';
    }
    const { keys } = JSON.parse((await box.admin(['get-service-user', '--id', id, '--json'])).stdout);
    expect(keys).toHaveLength(1);
  });
});
