import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Box, openBox } from './box.ts';
import { readClaims } from './credentials.ts';
import { isAccepted } from './request.ts';
import { type Server, startServer } from './start-server.ts';

const PASSWORD = 'correct horse battery';

/** Whoever runs the server, and an administrator of a tenant at a machine of their own. */
let operator: Box;
let desk: Box;
let server: Server;
let tenantId: string;

beforeAll(async () => {
  [operator, desk] = await Promise.all([openBox(), openBox()]);
  const created = await operator.admin(['create-tenant', 'acme', '--json']);
  tenantId = JSON.parse(created.stdout).id;
  for (const tenant of ['acme', 'default']) {
    const argv = ['create-user', 'ada', '--role', 'tenant-admin', '--tenant', tenant, '--password-stdin'];
    expect((await operator.admin(argv, { stdin: PASSWORD })).code).toBe(0);
  }
  server = await startServer(operator);
});
afterAll(() => Promise.all([operator, desk].map((box) => box.remove())));

const logIn = (...argv: string[]) =>
  desk.user(['login', '--url', server.url, '--username', 'ada', '--password-stdin', ...argv], { stdin: PASSWORD });

const readProfiles = async () => JSON.parse(await readFile(join(desk.configDir, 'settings.json'), 'utf8'));

describe('the administrator of a second tenant', () => {
  test('logs in by the tenant’s id or name; each tenant’s login is a profile of its own', async () => {
    const named = await logIn('--tenant', 'acme', '--json');
    expect(named.code).toBe(0);
    const { profile, user } = JSON.parse(named.stdout);
    expect(user).toMatchObject({ username: 'ada', role: 'tenant-admin', tenant_id: tenantId });
    const home = JSON.parse((await logIn('--json')).stdout);
    expect(home.user.tenant_id).not.toBe(tenantId);
    expect(home.profile).not.toBe(profile);
    const again = JSON.parse((await logIn('--tenant-id', tenantId, '--json')).stdout);
    expect(again).toMatchObject({ profile, user: { id: user.id } });
    expect(await readProfiles()).toMatchObject({
      current: profile,
      profiles: { [profile]: { username: 'ada', tenant_id: tenantId }, [home.profile]: { username: 'ada' } },
    });
    const wrong = await logIn('--tenant', 'nope');
    expect({ stdout: wrong.stdout, code: wrong.code }).toEqual({ stdout: '', code: 3 });
    expect(wrong.stderr).toContain('Username or password is wrong.');
  });

  test('mints tokens, and has catalogs, service users and users apart from everybody else’s', async () => {
    const minted = await desk.user(['get-token']);
    expect({ stderr: minted.stderr, code: minted.code }).toEqual({ stderr: '', code: 0 });
    expect(readClaims(minted.stdout)).toMatchObject({ tenant_id: tenantId });
    expect(await isAccepted(server.origin, minted.stdout.trim())).toBe(true);
    const catalogs = await desk.user(['list-catalogs']);
    const theirs = await operator.user(['list-catalogs']);
    expect(catalogs.stdout).toMatch(/^default\t/);
    expect(theirs.stdout).toMatch(/^default\t/);
    expect(catalogs.stdout).not.toBe(theirs.stdout);
    expect((await desk.admin(['create-service-user', '--name', 'etl'])).code).toBe(0);
    expect((await operator.admin(['create-service-user', '--name', 'etl'])).code).toBe(0);
    expect((await desk.admin(['list-service-users'])).stdout.trim().split('\n')).toHaveLength(1);
    expect((await desk.admin(['list-users'])).stdout.trim().split('\n')).toHaveLength(1);
    const env = {
      PANGOLIN_URL: server.url,
      PANGOLIN_USERNAME: 'ada',
      PANGOLIN_PASSWORD: PASSWORD,
      PANGOLIN_TENANT: 'acme',
    };
    const box = await openBox();
    const whoami = await box.user(['whoami', '--json'], { env });
    expect(JSON.parse(whoami.stdout)).toMatchObject({ tenant_id: tenantId, source: 'PANGOLIN_USERNAME' });
    await box.remove();
  });

  test('neither sees other tenants nor acts in them', async () => {
    for (const argv of [
      ['list-tenants'],
      ['create-tenant', 'x'],
      ['delete-tenant', '--id', tenantId],
      ['list-users', '--tenant', 'default'],
      ['list-users', '--tenant', 'nope'],
    ]) {
      const { stdout, stderr, code } = await desk.admin(argv);
      expect({ argv, stdout, code }).toEqual({ argv, stdout: '', code: 4 });
      expect(stderr).toMatch(/the role root/);
    }
  });

  test('is out at once when the tenant is deleted, and whoever runs the server goes on', async () => {
    const token = (await desk.user(['get-token'])).stdout.trim();
    const own = (await operator.user(['get-token'])).stdout.trim();
    expect(await isAccepted(server.origin, token)).toBe(true);
    const deleted = await operator.admin(['delete-tenant', 'acme']);
    expect(deleted).toEqual({ stdout: '', stderr: 'Deleted tenant acme.\n', code: 0 });
    expect(await isAccepted(server.origin, token)).toBe(false);
    expect((await desk.user(['whoami'])).code).toBe(3);
    expect((await logIn('--tenant', 'acme')).code).toBe(3);
    expect(await isAccepted(server.origin, own)).toBe(true);
  });
});
