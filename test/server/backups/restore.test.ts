import { chmod, copyFile, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { auditApi, catalogsApi, serviceUsersApi, usersApi } from '@pangolin/shared/contract';
import { DatabaseSync } from '@photostructure/sqlite';
import { describe, expect, test } from 'vitest';
import { readAuditChain } from '../audit-chain.ts';
import { createFolder, createLoggedIn, createServiceUser, createUser, mint, PASSWORD, standingOf } from '../harness.ts';
import { backUpServer, openEmbeddedServer, restoreBackup } from './back-up.ts';

describe('a restore', () => {
  test('brings everything back as it was, under servers that go on', async () => {
    const server = await openEmbeddedServer();
    const beside = await openEmbeddedServer({ beside: server });
    await server.owner.call(catalogsApi.create, { body: { name: 'lake' } });
    const etl = await createServiceUser(server, { name: 'etl', role: 'tenant-admin' });
    const file = await backUpServer(server);
    await server.owner.call(catalogsApi.delete, { params: { name: 'lake' } });
    await server.owner.call(catalogsApi.create, { body: { name: 'later' } });
    await server.owner.call(serviceUsersApi.delete, { params: { id: etl.id } });
    await restoreBackup(server, file);
    for (const one of [server, beside]) {
      const names = (await one.owner.call(catalogsApi.list)).map(({ name }) => name);
      expect(names.sort()).toEqual(['default', 'lake']);
      const back = await one.owner.call(serviceUsersApi.get, { params: { id: etl.id } });
      expect(back).toMatchObject({ name: 'etl', role: 'tenant-admin', active: true, keys: [] });
    }
    expect((await mint(beside, beside.owner)).token).toMatch(/^eyJ/);
  });

  test('ends every token, key and password; the owner issues new ones', async () => {
    const server = await openEmbeddedServer();
    const before = [
      (await mint(server, server.owner)).caller,
      (await createServiceUser(server, { name: 'etl' })).caller,
      (await createLoggedIn(server, 'grace')).caller,
    ];
    const file = await backUpServer(server);
    const since = [
      (await mint(server, server.owner)).caller,
      (await createServiceUser(server, { name: 'new' })).caller,
      (await createLoggedIn(server, 'edith')).caller,
    ];
    await restoreBackup(server, file);
    for (const caller of [...before, ...since]) expect(await standingOf(caller)).not.toBe('ok');
    for (const username of ['grace', 'edith']) {
      const { code } = await server.nobody.refused(usersApi.login, { body: { username, password: PASSWORD } });
      expect(code).toBe('login_failed');
    }
    const [grace] = (await server.owner.call(usersApi.list)).filter(({ username }) => username === 'grace');
    await server.owner.call(usersApi.resetPassword, { params: { id: grace?.id ?? '' }, body: { password: PASSWORD } });
    const login = await server.nobody.call(usersApi.login, { body: { username: 'grace', password: PASSWORD } });
    expect(await standingOf(server.bearer(login.token))).toBe('ok');
    expect(await standingOf((await mint(server, server.owner)).caller)).toBe('ok');
  });

  test('leaves whoever was deactivated since the backup deactivated', async () => {
    const server = await openEmbeddedServer();
    const grace = await createUser(server, 'grace');
    const file = await backUpServer(server);
    await server.owner.call(usersApi.update, { params: { id: grace.id }, body: { active: false } });
    await restoreBackup(server, file);
    expect(await server.owner.call(usersApi.get, { params: { id: grace.id } })).toMatchObject({ active: false });
  });

  test('keeps what the audit log recorded since, and is recorded in it', async () => {
    const server = await openEmbeddedServer();
    const file = await backUpServer(server);
    await mint(server, server.owner);
    const before = await readAuditChain(server);
    const { restored } = await restoreBackup(server, file);
    expect(restored.chains).toEqual({ fromBackup: [], replaced: [] });
    expect(await readAuditChain(server)).toEqual(before);
    const system = await server.deps.db.read
      .selectFrom('audit_events')
      .selectAll()
      .where('chain', '=', 'system')
      .orderBy('seq')
      .execute();
    expect(system.map(({ action }) => action).slice(-2)).toEqual(['installation.backed_up', 'installation.restored']);
    expect(system.at(-1)).toMatchObject({ username: 'ada', client: 'test', credential_type: 'owner' });
    expect(JSON.parse(system.at(-1)?.details ?? '')).toMatchObject({ keep_credentials: false, replaced_histories: [] });
  });

  test('takes the history of the backup where the directory has less of it, or another', async () => {
    const server = await openEmbeddedServer();
    const early = await backUpServer(server, { includeMasterKey: true });
    await mint(server, server.owner);
    const late = await backUpServer(server);
    const dataDir = join(await createFolder(), 'second');
    await restoreBackup(server, early, { dataDir });
    expect((await restoreBackup(server, late, { dataDir })).restored.chains.replaced).toHaveLength(1);
    const second = await openEmbeddedServer({ dataDir });
    await second.owner.call(usersApi.create, { body: { username: 'grace', role: 'tenant-user', password: PASSWORD } });
    const { restored } = await restoreBackup(server, early, { dataDir });
    expect(restored.chains.replaced).toEqual([]);
    const events = await second.owner.call(auditApi.list);
    expect(events.map(({ action }) => action)).toEqual(['user.created', 'token.created']);
  });

  test('keeps the signing keys there are, and those that signed before', async () => {
    const server = await openEmbeddedServer();
    const file = await backUpServer(server);
    const kids = () => server.deps.db.read.selectFrom('signing_keys').select(['kid', 'state']).orderBy('kid').execute();
    const before = await kids();
    await restoreBackup(server, file);
    expect(await kids()).toEqual(before);
  });
});

describe('a restore into a new directory', () => {
  test('makes it for its owner alone, with the master key of the backup', async () => {
    const server = await openEmbeddedServer();
    const file = await backUpServer(server, { includeMasterKey: true });
    const dataDir = join(await createFolder(), 'a', 'b');
    await restoreBackup(server, file, { dataDir });
    expect((await stat(dataDir)).mode & 0o777).toBe(0o700);
    for (const name of ['pangolin.db', 'master.key'])
      expect((await stat(join(dataDir, name))).mode & 0o777).toBe(0o600);
    const restored = await openEmbeddedServer({ dataDir });
    expect(restored.deps.installation).toEqual(server.deps.installation);
    expect(await standingOf((await mint(restored, restored.owner)).caller)).toBe('ok');
  });

  test('goes on where the restore before was killed while it made the database', async () => {
    const server = await openEmbeddedServer();
    const file = await backUpServer(server, { includeMasterKey: true });
    const [dataDir, killed] = [await createFolder(), await createFolder()];
    const db = new DatabaseSync(join(killed, 'pangolin.db'));
    db.exec('pragma cache_size = 1; begin; create table half_made (a)');
    db.exec('insert into half_made values (zeroblob(100000)), (zeroblob(100000))');
    for (const name of await readdir(killed)) {
      await copyFile(join(killed, name), join(dataDir, name));
      await chmod(join(dataDir, name), 0o600);
    }
    db.close();
    expect(await readdir(dataDir)).toEqual(['pangolin.db', 'pangolin.db-journal']);
    await restoreBackup(server, file, { dataDir });
    expect((await openEmbeddedServer({ dataDir })).deps.installation).toEqual(server.deps.installation);
  });

  test('takes the master key from a file', async () => {
    const server = await openEmbeddedServer();
    const file = await backUpServer(server);
    const dataDir = join(await createFolder(), 'new');
    const { plan } = await restoreBackup(server, file, { dataDir, masterKeyFile: join(server.dataDir, 'master.key') });
    expect(plan.masterKeyFrom).toBe(join(server.dataDir, 'master.key'));
    expect((await openEmbeddedServer({ dataDir })).deps.installation).toEqual(server.deps.installation);
  });

  test('without the master key, or with another one, is refused before anything is made', async () => {
    const server = await openEmbeddedServer();
    const file = await backUpServer(server);
    const folder = await createFolder();
    const dataDir = join(folder, 'new');
    await expect(restoreBackup(server, file, { dataDir })).rejects.toMatchObject({ code: 'master_key_missing' });
    const other = await openEmbeddedServer();
    const masterKeyFile = join(other.dataDir, 'master.key');
    const refused = restoreBackup(server, file, { dataDir, masterKeyFile });
    await expect(refused).rejects.toMatchObject({ code: 'master_key_missing' });
    await expect(stat(dataDir)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('a restore is refused', () => {
  test('into the directory of another installation', async () => {
    const server = await openEmbeddedServer();
    const other = await openEmbeddedServer();
    const token = await mint(other, other.owner);
    const file = await backUpServer(server, { includeMasterKey: true });
    const refused = restoreBackup(server, file, { dataDir: other.dataDir });
    await expect(refused).rejects.toMatchObject({ code: 'conflict', message: expect.stringContaining('another') });
    expect(await standingOf(token.caller)).toBe('ok');
  });

  test('of a file that is cut short, changed, or none of ours', async () => {
    const server = await openEmbeddedServer();
    const token = await mint(server, server.owner);
    const file = await backUpServer(server);
    const bytes = await readFile(file);
    const variants: Record<string, Buffer> = {
      empty: Buffer.alloc(0),
      text: Buffer.from('hello'.repeat(500)),
      'cut in the database': bytes.subarray(0, 100_000),
      'cut before the checksums': bytes.subarray(0, bytes.indexOf('sha256sums')),
      'one byte changed in the database': flip(bytes, 60_000),
      'one byte changed in the checksums': flip(bytes, bytes.lastIndexOf('  pangolin.db') - 3),
      'a newer format': Buffer.from(
        bytes.toString('latin1').replace('"format_version": 1', '"format_version": 2'),
        'latin1',
      ),
      'not gzip': Buffer.concat([Buffer.from([0x1f, 0x8b]), bytes]),
    };
    for (const [name, content] of Object.entries(variants)) {
      await writeFile(`${file}.bad`, content);
      const outcome = await restoreBackup(server, `${file}.bad`).then(
        () => 'restored',
        (error) => error.code ?? error,
      );
      expect([name, outcome]).toEqual([name, 'backup_unusable']);
    }
    expect(await standingOf(token.caller)).toBe('ok');
  });
});

function flip(bytes: Buffer, at: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[at] = (changed[at] ?? 0) ^ 1;
  return changed;
}
