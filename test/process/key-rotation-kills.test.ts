import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SigningKey } from '@pangolin/shared/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Box, openBox } from './box.ts';
import { bearer, isAccepted, request } from './request.ts';
import { type Server, startServer } from './start-server.ts';

const ROUNDS = 6;

let box: Box;
beforeAll(async () => {
  box = await openBox();
});
afterAll(() => box.remove());

/** Tokens that were shown to somebody. */
const shown = new Set<string>();
const counts = { reseals: 0, rotations: 0 };

/** Asks over and over until the server is killed, at any point of what it does. */
async function untilKilled(server: Server, root: string, path: string, onAnswer: (text: string) => void) {
  for (;;) {
    const answer = await request(`${server.origin}${path}`, { headers: bearer(root), json: {} }).catch(() => null);
    if (answer === null) return;
    // Where the disk is slow, some of so many rotations are told to come again.
    if (answer.status === 503) continue;
    expect(answer.status, answer.text).toBe(200);
    onAnswer(answer.text);
  }
}

const readLines = () => readFileSync(join(box.dataDir, 'master.key'), 'utf8').trimEnd().split('\n');

/** The state of the keys, as a command that starts now sees it. */
async function listKeys(): Promise<SigningKey[]> {
  const { stdout, stderr, code } = await box.admin(['list-signing-keys', '--json']);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout);
}

test('servers killed while they rotate their keys and mint leave everything open and every token good', async () => {
  const root = (await box.user(['get-token', '--role', 'root'])).stdout.trim();
  shown.add(root);
  for (let round = 0; round < ROUNDS; round += 1) {
    const server = await startServer(box);
    const work = [
      untilKilled(server, root, '/api/v1/signing-keys/reseal', () => (counts.reseals += 1)),
      untilKilled(server, root, '/api/v1/signing-keys/reseal', () => (counts.reseals += 1)),
      untilKilled(server, root, '/api/v1/signing-keys/rotate', () => (counts.rotations += 1)),
      untilKilled(server, root, '/api/v1/tokens', (text) => shown.add(JSON.parse(text).token)),
    ];
    const beside = box.admin([round % 2 === 0 ? 'rotate-master-key' : 'rotate-signing-key', '--json']);
    // However slow the machine is, each of them went through in every round.
    while (counts.reseals <= 2 * round || counts.rotations <= round || shown.size <= round + 1) await sleep(5);
    await sleep(Math.random() * 150);
    await server.stop('SIGKILL');
    await Promise.all(work);
    const { code, stderr } = await beside;
    expect(code, stderr).toBe(0);
    expect(readLines().length).toBeLessThanOrEqual(4);
    const states = (await listKeys()).map((key) => key.state).filter((state) => state !== 'retired');
    expect(states.sort()).toEqual(['active', 'next']);
    // The command that just started has tidied up.
    expect(readLines()).toHaveLength(1);
    expect(readdirSync(box.dataDir).filter((name) => name.startsWith('.master'))).toEqual([]);
  }
  const server = await startServer(box);
  for (const token of shown) expect(await isAccepted(server.origin, token)).toBe(true);
  const rotated = await request(`${server.origin}/api/v1/signing-keys/rotate`, { headers: bearer(root), json: {} });
  expect(rotated.status, rotated.text).toBe(200);
  const minted = await request(`${server.origin}/api/v1/tokens`, { headers: bearer(root), json: {} });
  expect(await isAccepted(server.origin, JSON.parse(minted.text).token)).toBe(true);
  await server.stop();
}, 180_000);

test('a command killed at any moment of a rotation leaves everything open', async () => {
  const token = (await box.user(['get-token'])).stdout.trim();
  for (let round = 0; round < 6; round += 1) {
    const rotating = box.start('pangolin-admin', ['rotate-master-key']);
    setTimeout(() => rotating.child.kill('SIGKILL'), 100 + Math.random() * 500);
    await rotating.ended;
    await listKeys();
    expect(readLines()).toHaveLength(1);
  }
  const server = await startServer(box);
  expect(await isAccepted(server.origin, token)).toBe(true);
  await server.stop();
}, 120_000);
