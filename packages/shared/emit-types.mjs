// Writes the declarations of the entries that other programs import to dist/types, after the bundle is built.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const emitted = join(here, 'dist', 'emitted');
const types = join(here, 'dist', 'types');
const tsc = join(createRequire(import.meta.url).resolve('typescript/package.json'), '..', 'bin', 'tsc');

rmSync(types, { recursive: true, force: true });
execFileSync(process.execPath, [tsc, '-p', join(here, 'tsconfig.types.json')], { stdio: 'inherit' });
renameSync(join(emitted, 'shared', 'src'), types);
rmSync(emitted, { recursive: true });

const { dependencies } = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8'));

for (const name of readdirSync(types, { recursive: true, encoding: 'utf8' })) {
  if (!name.endsWith('.d.ts')) continue;
  const file = join(types, name);
  const text = readFileSync(file, 'utf8').replace(/(from\s+['"]\.[^'"]*)\.ts(['"])/g, '$1.js$2');
  for (const [, specifier] of text.matchAll(/(?:from|import\()\s*['"]([^.'"][^'"]*)['"]/g)) {
    const owner = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
    if (!specifier.startsWith('node:') && !Object.hasOwn(dependencies, owner)) {
      throw new Error(`${name} needs ${specifier}, which who installs this package does not have`);
    }
  }
  writeFileSync(file, text);
}
