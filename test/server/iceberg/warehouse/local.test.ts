import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openLocalWarehouse } from '../../../../packages/server/src/iceberg/warehouse/local.ts';
import { explainFileError } from '../../../../packages/server/src/iceberg/warehouse/warehouse-errors.ts';

let box: string;
let wh: string;
let root: string;

beforeEach(() => {
  box = mkdtempSync(join(tmpdir(), 'pangolin-warehouse-'));
  wh = join(box, 'wh');
  root = `file://${wh}`;
});
afterEach(() => rmSync(box, { recursive: true, force: true }));

const open = () => openLocalWarehouse(root);
const refusal = (code: string, message: string | RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) });
/** Everything under the box, so that nothing was made where nobody looked. */
const everything = () => readdirSync(box, { recursive: true, encoding: 'utf8' }).sort();

describe('files', () => {
  test('a new file is made with its directories, whole, and nothing is left beside it', async () => {
    await open().create(`${root}/ns/t/metadata/a.json`, 'ä');
    expect(readFileSync(join(wh, 'ns/t/metadata/a.json'), 'utf8')).toBe('ä');
    expect(await open().read(`file:${wh}/ns/t/metadata/a.json`)).toEqual(Buffer.from('ä'));
    expect(everything()).toEqual(['wh', 'wh/ns', 'wh/ns/t', 'wh/ns/t/metadata', 'wh/ns/t/metadata/a.json']);
  });

  test('bytes come back as they were written, however many', async () => {
    const warehouse = open();
    for (const size of [0, 1, 3_000_000]) {
      const bytes = Buffer.alloc(size, 'pangolin');
      await warehouse.create(`${root}/${size}`, bytes);
      expect((await warehouse.read(`${root}/${size}`)).equals(bytes)).toBe(true);
    }
  });

  test('a percent sign is a percent sign', async () => {
    await open().create(`${root}/day=2026%2F01/a b.json`, 'x');
    expect(everything()).toContain('wh/day=2026%2F01/a b.json');
  });

  test('an existing file is never replaced', async () => {
    await open().create(`${root}/a.json`, 'first');
    await expect(open().create(`${root}/a.json`, 'second')).rejects.toEqual(
      refusal('already_exists', `There is a file already: ${root}/a.json`),
    );
    expect(readFileSync(join(wh, 'a.json'), 'utf8')).toBe('first');
    expect(everything()).toEqual(['wh', 'wh/a.json']);
  });

  test('of many that create one file at once, in two warehouses of one place, exactly one wins', async () => {
    const warehouses = [open(), open()];
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, n) => warehouses[n % 2]?.create(`${root}/ns/t/a.json`, `${n}`)),
    );
    const won = outcomes.flatMap(({ status }, n) => (status === 'fulfilled' ? [`${n}`] : []));
    expect(won).toEqual([readFileSync(join(wh, 'ns/t/a.json'), 'utf8')]);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'already_exists' });
    }
    expect(everything()).toEqual(['wh', 'wh/ns', 'wh/ns/t', 'wh/ns/t/a.json']);
  });

  test('a temporary file that a killed process left is in nobody’s way', async () => {
    mkdirSync(wh);
    for (const serial of [0, 1]) writeFileSync(join(wh, `.a.json.${process.pid}-${serial}`), 'left');
    await open().create(`${root}/a.json`, 'x');
    expect(readFileSync(join(wh, 'a.json'), 'utf8')).toBe('x');
    expect(readdirSync(wh)).toHaveLength(3);
  });

  test('a missing file is said to be missing in the words clients look for', async () => {
    for (const location of [`${root}/ns/t/a.json`, `${root}/a.json`]) {
      await expect(open().read(location)).rejects.toEqual(
        refusal('file_not_found', `^Failed to open input stream for file: ${location}$`),
      );
    }
    expect(open().has?.(`${root}/a.json`)).toBe(false);
    expect(existsSync(wh)).toBe(false);
  });

  test('a file larger than the most that is read is refused unread', async () => {
    const warehouse = openLocalWarehouse(root, { maxFileBytes: 10 });
    await warehouse.create(`${root}/small`, '0123456789');
    await warehouse.create(`${root}/large`, '0123456789a');
    expect((await warehouse.read(`${root}/small`)).length).toBe(10);
    await expect(warehouse.read(`${root}/large`)).rejects.toEqual(refusal('invalid_request', 'larger than 10 bytes'));
  });

  test('a file that stands where a directory should be is named, and so is a name that is too long', async () => {
    const warehouse = open();
    await warehouse.create(`${root}/a`, 'x');
    await expect(warehouse.create(`${root}/a/b`, 'x')).rejects.toEqual(refusal('invalid_request', 'a file where'));
    await expect(warehouse.create(`${root}/a/b/c`, 'x')).rejects.toEqual(refusal('invalid_request', 'a file where'));
    await expect(warehouse.read(`${root}/a/b`)).rejects.toMatchObject({ code: 'file_not_found' });
    await warehouse.remove([`${root}/a/b`]);
    const long = `${root}/${'x'.repeat(300)}`;
    await expect(warehouse.create(long, 'x')).rejects.toEqual(refusal('invalid_request', 'too long'));
  });
});

describe('removal', () => {
  test('files go, missing ones count as gone, and directories that became empty go with them', async () => {
    const warehouse = open();
    const files = Array.from({ length: 30 }, (_, n) => `${root}/ns/t/data/part=${n % 3}/${n}`);
    await Promise.all(files.map((file) => warehouse.create(file, 'x')));
    await warehouse.create(`${root}/ns/other/a`, 'x');
    await warehouse.remove([...files, `${root}/ns/t/data/none`, `${root}/none/at/all`]);
    expect(everything()).toEqual(['wh', 'wh/ns', 'wh/ns/other', 'wh/ns/other/a']);
    await warehouse.remove([`${root}/ns/other/a`]);
    expect(everything()).toEqual(['wh']);
  });

  test('one that cannot be removed is told, after all others are', async () => {
    const warehouse = open();
    await warehouse.create(`${root}/t/a`, 'x');
    await warehouse.create(`${root}/t/directory/b`, 'x');
    await expect(warehouse.remove([`${root}/t/directory`, `file://${box}/elsewhere`, `${root}/t/a`])).rejects.toEqual(
      refusal('invalid_request', 'is not a regular file|does not lie within'),
    );
    expect(everything()).toEqual(['wh', 'wh/t', 'wh/t/directory', 'wh/t/directory/b']);
  });

  test('creating survives the removal of directories that are empty for a moment', async () => {
    const warehouses = [open(), open()];
    await Promise.all(
      Array.from({ length: 8 }, async (_, writer) => {
        for (let round = 0; round < 25; round++) {
          const location = `${root}/ns/t/metadata/${writer}-${round}`;
          await warehouses[writer % 2]?.create(location, 'x');
          await warehouses[(writer + 1) % 2]?.remove([location]);
        }
      }),
    );
    expect(everything()).toEqual(['wh']);
  });
});

describe('nothing leads out', () => {
  test('a location outside is refused for every use, without a trace', async () => {
    const warehouse = open();
    const secret = join(box, 'secret');
    writeFileSync(secret, 'x');
    for (const location of [`file://${secret}`, `${root}/../secret`, `${root}x/a`, 's3://bucket/a', root]) {
      const refused = refusal('invalid_request', 'does not lie within the catalog.s warehouse');
      await expect(warehouse.create(location, 'y')).rejects.toEqual(refused);
      await expect(warehouse.read(location)).rejects.toEqual(refused);
      await expect(warehouse.remove([location])).rejects.toEqual(refused);
    }
    expect(everything()).toEqual(['secret']);
  });

  test('no path whatsoever reaches what lies beside the warehouse', async () => {
    const warehouse = open();
    mkdirSync(join(wh, 'in'), { recursive: true });
    writeFileSync(join(box, 'secret'), 'x');
    symlinkSync('..', join(wh, 'in', 'up'));
    symlinkSync(box, join(wh, 'out'));
    const segment = fc.constantFrom('..', '.', '', 'in', 'up', 'out', 'secret', 'wh', '%2e%2e', '..%2f', 'new');
    await fc.assert(
      fc.asyncProperty(fc.array(segment, { minLength: 1, maxLength: 6 }), async (segments) => {
        const location = `${root}/${segments.join('/')}`;
        await warehouse.create(location, 'y').catch(() => {});
        expect(await warehouse.read(location).then(String, () => 'y')).toBe('y');
        await warehouse.remove([location]).catch(() => {});
        expect(readdirSync(box).sort()).toEqual(['secret', 'wh']);
      }),
      { numRuns: 300 },
    );
  });

  test('a directory that is a symbolic link out is refused, also for what would be made below it', async () => {
    const warehouse = open();
    const outside = join(box, 'outside');
    mkdirSync(outside);
    mkdirSync(wh);
    writeFileSync(join(outside, 'a'), 'x');
    symlinkSync(outside, join(wh, 'link'));
    symlinkSync(join(box, 'not-there'), join(wh, 'dangling'));
    const before = everything();
    for (const location of [`${root}/link/a`, `${root}/link/new`, `${root}/link/new/b`]) {
      await expect(warehouse.create(location, 'y')).rejects.toMatchObject({ code: 'invalid_request' });
    }
    for (const location of [`${root}/dangling/a`, `${root}/dangling/new/b`]) {
      await expect(warehouse.create(location, 'y')).rejects.toMatchObject({ code: 'unavailable' });
    }
    await expect(warehouse.read(`${root}/link/a`)).rejects.toEqual(refusal('invalid_request', 'A symbolic link does'));
    await expect(warehouse.remove([`${root}/link/a`])).rejects.toMatchObject({ code: 'invalid_request' });
    expect(everything()).toEqual(before);
  });

  test('a file that is a symbolic link is refused wherever it leads; a new file does not follow it', async () => {
    const warehouse = open();
    await warehouse.create(`${root}/a`, 'x');
    symlinkSync(join(wh, 'a'), join(wh, 'inside'));
    symlinkSync('/etc/hostname', join(wh, 'outside'));
    symlinkSync('loop', join(wh, 'loop'));
    for (const location of [`${root}/inside`, `${root}/outside`, `${root}/loop`]) {
      const refused = refusal('invalid_request', 'is not a regular file');
      await expect(warehouse.read(location)).rejects.toEqual(refused);
      await expect(warehouse.remove([location])).rejects.toEqual(refused);
      await expect(warehouse.create(location, 'y')).rejects.toMatchObject({ code: 'already_exists' });
    }
    expect(await warehouse.read(`${root}/a`)).toEqual(Buffer.from('x'));
  });

  test('a warehouse that is itself reached through a symbolic link works', async () => {
    mkdirSync(join(box, 'disk'));
    symlinkSync(join(box, 'disk'), wh);
    const warehouse = open();
    await warehouse.create(`${root}/t/a`, 'x');
    expect(await warehouse.read(`${root}/t/a`)).toEqual(Buffer.from('x'));
    await warehouse.remove([`${root}/t/a`]);
    expect(everything()).toEqual(['disk', 'wh']);
  });

  test('a warehouse whose symbolic link leads nowhere cannot be written', async () => {
    symlinkSync(join(box, 'gone'), wh);
    await expect(open().create(`${root}/t/a`, 'x')).rejects.toMatchObject({ code: 'unavailable' });
    await expect(open().read(`${root}/t/a`)).rejects.toMatchObject({ code: 'file_not_found' });
    expect(everything()).toEqual(['wh']);
  });
});

describe('what is no file', () => {
  test('a pipe, a socket, a device and a directory are refused at once', async () => {
    mkdirSync(join(wh, 'directory'), { recursive: true });
    execFileSync('mkfifo', [join(wh, 'pipe')]);
    symlinkSync('/dev/zero', join(wh, 'device'));
    for (const name of ['pipe', 'directory', 'device']) {
      await expect(open().read(`${root}/${name}`)).rejects.toEqual(refusal('invalid_request', 'not a regular file'));
      await expect(open().remove([`${root}/${name}`])).rejects.toMatchObject({ code: 'invalid_request' });
    }
    expect(readdirSync(wh).sort()).toEqual(['device', 'directory', 'pipe']);
  });
});

describe('disks that do not take it', () => {
  test.each([
    ['EACCES', 'storage_read_only', "file:///wh/a cannot be written: the server's account may not (EACCES)"],
    ['EROFS', 'storage_read_only', "file:///wh/a cannot be written: the server's account may not (EROFS)"],
    ['ENOSPC', 'storage_full', 'The disk that holds file:///wh/a is full'],
    ['EDQUOT', 'storage_full', 'The disk that holds file:///wh/a is full'],
    ['EIO', 'unavailable', 'file:///wh/a cannot be written right now (EIO)'],
    ['EMFILE', 'unavailable', 'file:///wh/a cannot be written right now (EMFILE)'],
  ])('%s is %s', (errno, code, message) => {
    const cause = Object.assign(new Error(`${errno}: /real/path`), { code: errno });
    expect(explainFileError(cause, 'file:///wh/a', 'written')).toMatchObject({ code, message, cause });
  });

  test('a warehouse that cannot be made says so with its location, not with the server’s own paths', async () => {
    const nowhere = openLocalWarehouse('file:///proc/pangolin');
    await expect(nowhere.create('file:///proc/pangolin/t/a', 'x')).rejects.toEqual(
      refusal('unavailable', /^file:\/\/\/proc\/pangolin\/t\/a cannot be written right now \(ENOENT\)$/),
    );
  });
});

describe('kills', () => {
  test('every file under its own name is whole, and every acknowledged one is there, after kill -9 at any time', async () => {
    const program = join(box, 'writer.mjs');
    await build({
      stdin: { contents: WRITER, resolveDir: SOURCES },
      outfile: program,
      bundle: true,
      format: 'esm',
      platform: 'node',
      conditions: ['@pangolin/source'],
    });
    for (let round = 0; round < 6; round++) {
      const writer = spawn(process.execPath, [program, `${root}/${round}`], { stdio: ['ignore', 'pipe', 'inherit'] });
      let acknowledged = '';
      writer.stdout.on('data', (chunk) => {
        acknowledged += chunk;
      });
      await once(writer.stdout, 'data');
      await new Promise((resolve) => setTimeout(resolve, 7 * round));
      writer.kill('SIGKILL');
      await once(writer, 'close');
      const names = readdirSync(join(wh, `${round}`)).filter((name) => !name.startsWith('.'));
      for (const name of names) expect(readFileSync(join(wh, `${round}`, name), 'utf8')).toBe(name.repeat(50_000));
      const whole = acknowledged.split('\n').slice(0, -1);
      expect(whole.length).toBeGreaterThan(0);
      expect(whole.filter((name) => !names.includes(name))).toEqual([]);
    }
  });
});

const SOURCES = fileURLToPath(new URL('../../../../packages/server/src/iceberg/warehouse', import.meta.url));

const WRITER = `
import { writeSync } from 'node:fs';
import { openLocalWarehouse } from './local.ts';
const root = process.argv[2];
const warehouse = openLocalWarehouse(root);
const write = async (writer) => {
  for (let n = 0; ; n++) {
    const name = 'f-' + writer + '-' + n;
    await warehouse.create(root + '/' + name, name.repeat(50_000));
    writeSync(1, name + '\\n');
  }
};
await Promise.all([write(0), write(1), write(2)]);
`;
