import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { connect } from '../../../packages/shared/src/client/connect.ts';
import { createClient } from '../../../packages/shared/src/index.ts';
import { createSurroundings } from '../surroundings.ts';

describe('the embedded server', () => {
  test('answers its owner without a login, and tells where its data is', async () => {
    const surroundings = { ...(await createSurroundings()), now: Date.now };
    const notices: unknown[] = [];
    const onNotice = (...notice: unknown[]) => void notices.push(notice);
    const { client, profile, source } = await connect({ createDataDir: true, onNotice }, surroundings);
    onTestFinished(() => client.close());
    const dataDir = join(surroundings.homeDir, '.local/share/pangolin');
    expect({ profile, source, origin: client.origin, dataDir: client.dataDir }).toEqual({
      profile: null,
      source: 'embedded owner',
      origin: null,
      dataDir,
    });
    expect(notices).toEqual([[`Using the embedded server; its data is in ${dataDir}`, 'embedded']]);
    expect(await client.users.me()).toMatchObject({ kind: 'owner', username: 'tester', role: 'root' });
    const issued = await client.tokens.create({ description: 'PyIceberg', expires_in_days: 90 });
    expect((await client.tokens.list()).map(({ id }) => id)).toEqual([issued.id]);
    expect((await client.app.config()).features).toBeInstanceOf(Array);
  });

  test('keeps what a program made for the next one, and a listing creates nothing', async () => {
    const surroundings = { ...(await createSurroundings()), now: Date.now };
    const open = () => {
      const client = createClient({ surroundings });
      onTestFinished(() => client.close());
      return client;
    };
    await expect(open().auth.pats.list()).rejects.toMatchObject({ code: 'no_server' });
    await expect(stat(join(surroundings.homeDir, '.local'))).rejects.toMatchObject({ code: 'ENOENT' });
    const first = open();
    await first.auth.pats.generate({ name: 'job', expiryDate: farDate(), timezone: 'UTC' });
    await first.close();
    const [token] = await open().auth.pats.list();
    expect(token).toMatchObject({ name: 'job', isValid: true });
    await token?.revoke('over');
    expect(await open().auth.pats.get(token?.id ?? '')).toMatchObject({ isValid: false, revokedReason: 'over' });
  });

  test('rotates a key once: of two rotations at once one is a conflict', async () => {
    const surroundings = { ...(await createSurroundings()), now: Date.now };
    const client = createClient({ surroundings });
    onTestFinished(() => client.close());
    const { id, apiKey } = await client.serviceUsers.create({ name: 'etl', role: 'TenantUser' });
    const results = await Promise.allSettled([client.serviceUsers.rotate(id), client.serviceUsers.rotate(id)]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(results.find((one) => one.status === 'rejected')).toMatchObject({ reason: { code: 'conflict' } });
    expect(apiKey).toMatch(/^pgl_/);
  });
});

/** A day about three months from now, `dd/MM/yyyy`. */
function farDate(): string {
  const [year, month, day] = new Date(Date.now() + 90 * 86_400_000).toISOString().slice(0, 10).split('-');
  return `${day}/${month}/${year}`;
}
