import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, test } from 'vitest';
import type { Ended } from '../process/box.ts';
import { type Lakehouse, openLakehouse, type Settings } from './lakehouse.ts';

/** A Python process with one of our files loaded. */
export interface Python {
  /** Calls a function of the file with keyword arguments; rejects with an error named as the Python exception. */
  call(name: string, args?: Record<string, unknown>): Promise<unknown>;
  close(): Promise<void>;
}

const pathOf = (file: string) => fileURLToPath(new URL(`./python/${file}`, import.meta.url));

/** The interpreter with PyIceberg, or with DataHub's client. */
export function interpreter(variable: 'INTEROP_PYTHON' | 'INTEROP_DATAHUB' = 'INTEROP_PYTHON'): string {
  const path = process.env[variable];
  if (path === undefined) throw new Error(`${variable} is not set. Run these tests by: npm run test:interop`);
  return path;
}

/** An environment without this machine's settings for PyIceberg, proxies or certificates. */
const environment = (home: string) => ({ HOME: home, PATH: process.env.PATH, PYTHONUNBUFFERED: '1' });

/** Runs a program text as `python -c` does. */
export const runPython = (home: string, program: string, env: Record<string, string> = {}): Promise<Ended> =>
  runProgram(home, interpreter(), ['-c', program], env);

/** Runs a program with nothing of this machine's settings. */
export function runProgram(home: string, path: string, argv: string[], env: Record<string, string>): Promise<Ended> {
  const child = spawn(path, argv, {
    cwd: home,
    env: { ...environment(home), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ stdout, stderr, code: code ?? 128 }));
  });
}

export function openPython(
  file: string,
  home: string,
  settings: Settings | null,
  path = interpreter(),
  env: Record<string, string> = {},
): Python {
  const args = [pathOf('driver.py'), pathOf(file), JSON.stringify(settings)];
  const child = spawn(path, args, { cwd: home, env: { ...environment(home), ...env } });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  child.stdin.on('error', () => {});
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  // Answers come in the order of the questions.
  let last: Promise<unknown> = Promise.resolve();
  return {
    call(name, args = {}) {
      const answered = last
        .catch(() => {})
        .then(async () => {
          child.stdin.write(`${JSON.stringify({ call: name, with: args })}\n`);
          const { value, done } = await lines.next();
          if (done) throw new Error(`${file} ended while it ran ${name}:\n${log}`);
          return readAnswer(value, name);
        });
      last = answered;
      return answered;
    },
    close() {
      child.kill('SIGKILL');
      return ended;
    },
  };
}

/** What a Python function raised. */
interface Raised {
  type: string;
  message: string;
  trace: string;
}

function readAnswer(line: string, called: string): unknown {
  const { result, error }: { result?: unknown; error?: Raised } = JSON.parse(line);
  if (!error) return result;
  // Nobody expects a test to raise anything: whoever reads of it wants to see where.
  const raised = new Error(called.startsWith('test_') ? error.trace : error.message);
  raised.name = error.type;
  throw raised;
}

/** Every test_… function of a Python file as a test, named by its first line of documentation. */
function readTests(file: string): Array<[title: string, call: string]> {
  const text = readFileSync(pathOf(file), 'utf8');
  const found = [...text.matchAll(/^def (test_\w+)\([^)]*\):\n {4}"""(.+?)"""/gm)];
  const defined = text.match(/^def test_/gm)?.length ?? 0;
  if (found.length === 0 || found.length !== defined) throw new Error(`a test in ${file} has no documentation`);
  return found.map(([, call = '', title = '']) => [title, call]);
}

/**
 * Runs the tests of a Python file, in a process of their own, against a server of their own. `prepare` may do something
 * there first, and say what to connect with instead of a token for the catalog `default`.
 */
export function describePython(
  title: string,
  file: string,
  prepare = async ({ settings }: Lakehouse): Promise<Settings> => settings,
): void {
  describe(title, () => {
    let lakehouse: Lakehouse;
    let python: Python;
    beforeAll(async () => {
      lakehouse = await openLakehouse();
      python = openPython(file, lakehouse.box.home, await prepare(lakehouse));
    });
    afterAll(async () => {
      await python?.close();
      await lakehouse?.close();
    });
    test.each(readTests(file))('%s', async (_, call) => {
      await python.call(call);
    });
  });
}
