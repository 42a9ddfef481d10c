import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isWarehouseFile } from '../../../packages/server/src/backups/read-archive.ts';
import { createFolder, type TestServer } from '../harness.ts';
import { backUpServer, openEmbeddedServer, restoreBackup } from './back-up.ts';

async function put({ dataDir }: TestServer, name: string, content: string): Promise<string> {
  const path = join(dataDir, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
  return path;
}

const namesIn = (file: string): string[] => execFileSync('tar', ['-tf', file], { encoding: 'utf8' }).trim().split('\n');

const LONG = `warehouse/default/${'a'.repeat(120)}/${'b'.repeat(90)}/metadata/00000-ü.metadata.json`;

describe('the files of the warehouses', () => {
  test('are in the backup, but for links and what is half written', async () => {
    const server = await openEmbeddedServer();
    await put(server, 'warehouse/default/t/data/one.parquet', 'one');
    await put(server, 'warehouse/default/t/data/.one.parquet.crc', 'sum');
    await put(server, 'warehouse/default/t/data/.two.parquet.4711-0', 'half');
    await put(server, 'warehouses/tenant/lake/empty', '');
    await put(server, LONG, 'long');
    await put(server, 'elsewhere/file', 'no');
    await symlink('/etc/hostname', join(server.dataDir, 'warehouse/default/link'));
    expect(namesIn(await backUpServer(server))).toEqual([
      'manifest.json',
      'pangolin.db',
      expect.stringMatching(/^warehouse\/default\/a{120}\/b{90}\/metadata\/00000-/),
      'warehouse/default/t/data/.one.parquet.crc',
      'warehouse/default/t/data/one.parquet',
      'warehouses/tenant/lake/empty',
      'sha256sums',
    ]);
  });

  test('have the hashes that sha256sum checks', async () => {
    const server = await openEmbeddedServer();
    await put(server, 'warehouse/default/t/data/one.parquet', 'one');
    const folder = await createFolder();
    const file = await backUpServer(server, { includeMasterKey: true });
    execFileSync('tar', ['--warning=no-timestamp', '-xf', file, '-C', folder]);
    const said = execFileSync('sha256sum', ['-c', 'sha256sums'], { cwd: folder, encoding: 'utf8' });
    expect(said.trim().split('\n')).toHaveLength(4);
  });

  test('come back where they are missing; none is replaced or deleted', async () => {
    const server = await openEmbeddedServer();
    const lost = await put(server, 'warehouse/default/lost/data/one.parquet', 'one');
    const long = await put(server, LONG, 'long');
    const kept = await put(server, 'warehouse/default/kept', 'as it was');
    const file = await backUpServer(server);
    await rm(join(server.dataDir, 'warehouse/default/lost'), { recursive: true });
    await rm(long);
    await writeFile(kept, 'longer than it was');
    const newer = await put(server, 'warehouse/default/newer', 'new');
    const { restored } = await restoreBackup(server, file);
    expect(restored.files).toEqual({ added: 2, different: ['warehouse/default/kept'] });
    expect(await readFile(lost, 'utf8')).toBe('one');
    expect(await readFile(long, 'utf8')).toBe('long');
    expect(await readFile(kept, 'utf8')).toBe('longer than it was');
    expect(await readFile(newer, 'utf8')).toBe('new');
    expect((await readdir(dirname(lost))).sort()).toEqual(['one.parquet']);
  });

  test('are never put through a link that leads out of the data directory', async () => {
    const server = await openEmbeddedServer();
    await put(server, 'warehouse/default/t/one', 'one');
    const file = await backUpServer(server);
    const outside = await createFolder();
    await rm(join(server.dataDir, 'warehouse'), { recursive: true });
    await symlink(outside, join(server.dataDir, 'warehouse'));
    await expect(restoreBackup(server, file)).rejects.toMatchObject({ code: 'backup_unusable' });
    expect(await readdir(outside)).toEqual([]);
  });
});

describe('an archive that was not made by a backup', () => {
  test.each([
    ['an absolute path', '/tmp/x'],
    ['a way up', 'warehouse/default/../../../x'],
    ['a dot', 'warehouse/./x'],
    ['another folder', 'master.key.d/x'],
    ['a drive', 'C:/x'],
    ['a backslash', 'warehouse\\..\\..\\x'],
    ['the folder itself', 'warehouse'],
    ['an empty part', 'warehouse//x'],
    ['a name that is too long', `warehouse/${'x'.repeat(5000)}`],
  ])('cannot name %s', (_, name) => {
    expect(isWarehouseFile(name)).toBe(false);
  });

  test('is refused when it holds a link, or something more', async () => {
    const server = await openEmbeddedServer();
    const file = await backUpServer(server);
    const folder = await createFolder();
    execFileSync('tar', ['--warning=no-timestamp', '-xf', file, '-C', folder]);
    await mkdir(join(folder, 'warehouse'));
    await symlink('/etc/passwd', join(folder, 'warehouse/link'));
    await writeFile(join(folder, 'more'), '');
    const pack = (...names: string[]) => {
      execFileSync('tar', ['-cf', `${file}.bad`, '-C', folder, ...names]);
      return restoreBackup(server, `${file}.bad`);
    };
    const all = ['manifest.json', 'pangolin.db', 'sha256sums'];
    await expect(pack(...all, 'more')).rejects.toMatchObject({ message: expect.stringContaining('"more"') });
    const link = pack('manifest.json', 'pangolin.db', 'warehouse/link', 'sha256sums');
    await expect(link).rejects.toMatchObject({ message: expect.stringContaining('no plain file') });
    await expect(pack('pangolin.db', 'manifest.json')).rejects.toMatchObject({ code: 'backup_unusable' });
    await expect(pack('manifest.json', 'pangolin.db')).rejects.toMatchObject({ code: 'backup_unusable' });
    await expect(stat(join(server.dataDir, 'more'))).rejects.toMatchObject({ code: 'ENOENT' });
    expect((await pack(...all)).restored.files.added).toBe(0);
  });
});
