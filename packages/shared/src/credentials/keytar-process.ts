import { type ChildProcess, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { Surroundings } from '../client/connect-types.ts';

/** The part of keytar that is used. */
export interface Keytar {
  getPassword(service: string, account: string): Promise<string | null>;
  setPassword(service: string, account: string, password: string): Promise<void>;
  deletePassword(service: string, account: string): Promise<boolean>;
  findCredentials(service: string): Promise<Array<{ account: string }>>;
  /** Ends what a call that hangs would leave behind; no call works after it. */
  stop?(): void;
}

/** Says of a failure only that it failed: the keyring's own message may repeat what it was given. */
const PROGRAM = `
const keytar = require(process.argv[1]);
require('node:readline').createInterface({ input: process.stdin }).on('line', async (line) => {
  const { method, args } = JSON.parse(line);
  const answer = await keytar[method](...args).then((value) => ({ value }), () => ({ failed: true }));
  process.stdout.write(JSON.stringify(answer) + '\\n');
});`;

/**
 * Keytar in a process of its own, or null where the native module is not installed. A call into a keyring that hangs
 * holds a thread that Node waits for even in process.exit(), so only a process that can be killed lets a command end.
 * Secrets go through pipes; the process ends with ours.
 */
export function startKeytar({ env }: Pick<Surroundings, 'env'>): Keytar | null {
  let path: string;
  try {
    path = createRequire(import.meta.url).resolve('@napi-rs/keyring/keytar');
  } catch {
    return null;
  }
  const child = spawn(process.execPath, ['-e', PROGRAM, path], {
    env: forKeyring(env),
    stdio: ['pipe', 'pipe', 'ignore'],
    windowsHide: true,
  });
  return createKeytar(child, child.stdin, child.stdout);
}

/** What finds the keyring; not our secrets, nor what makes Node slower to start (a list of authorities: 35 ms). */
const forKeyring = (env: Surroundings['env']) =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !/^(PANGOLIN_|NODE_)/.test(name)));

function createKeytar(child: ChildProcess, stdin: Writable, stdout: Readable): Keytar {
  const waiting: Array<{ resolve(value: unknown): void; reject(error: Error): void }> = [];
  let hasEnded = false;
  const end = () => {
    hasEnded = true;
    for (const { reject } of waiting.splice(0)) reject(new Error('the keyring process ended'));
  };
  child.on('error', end).on('exit', end);
  stdin.on('error', end);
  createInterface({ input: stdout }).on('line', (line) => {
    const answer: { value?: unknown; failed?: true } = JSON.parse(line);
    const one = waiting.shift();
    if (answer.failed) one?.reject(new Error('the keyring refused'));
    else one?.resolve(answer.value);
  });
  // It waits for us, not we for it.
  for (const handle of [child, stdin, stdout])
    if ('unref' in handle && handle.unref instanceof Function) handle.unref();

  const call = <T>(method: string, ...args: string[]): Promise<T> =>
    new Promise((resolve, reject) => {
      if (hasEnded) return reject(new Error('the keyring process ended'));
      waiting.push({ resolve: (value) => resolve(value as T), reject });
      stdin.write(`${JSON.stringify({ method, args })}\n`);
    });

  return {
    getPassword: (service, account) => call('getPassword', service, account),
    setPassword: (service, account, password) => call('setPassword', service, account, password),
    deletePassword: (service, account) => call('deletePassword', service, account),
    findCredentials: (service) => call('findCredentials', service),
    stop: () => void child.kill('SIGKILL'),
  };
}
