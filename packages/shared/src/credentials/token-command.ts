import type { ConnectOptions, Surroundings } from '../client/connect-types.ts';
import { PangolinError } from '../errors.ts';
import { readSecretText } from './secret-text.ts';

const LIMIT_MS = 30_000;
const MAX_OUTPUT_BYTES = 64 * 1024;

/**
 * Runs PANGOLIN_TOKEN_COMMAND in the platform's shell and answers what it printed, trimmed: an access token. Lines it
 * writes to stderr go to `onNotice` as they come. Throws `token_command_failed` (with its exit code, never its output)
 * and `credential_malformed`.
 */
export async function runTokenCommand(
  command: string,
  env: Surroundings['env'],
  onNotice: ConnectOptions['onNotice'],
  limitMs = LIMIT_MS,
): Promise<string> {
  const { spawn } = await import('node:child_process');
  const fail = (problem: string, cause?: unknown) =>
    new PangolinError('token_command_failed', `PANGOLIN_TOKEN_COMMAND ${problem}`, {
      cause,
      hint: 'Run the command by itself: it must print an access token and end with exit code 0',
    });
  const output = await new Promise<string>((resolve, reject) => {
    const child = spawn(command, {
      shell: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...env },
      windowsHide: true,
    });
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    const end = (settle: () => void) => {
      clearTimeout(timer);
      settle();
      child.stdout.destroy();
      child.stderr.destroy();
    };
    const stop = (problem: string) => {
      child.kill('SIGKILL');
      end(() => reject(fail(problem)));
    };
    const timer = setTimeout(() => stop(`did not end within ${limitMs / 1000} seconds`), limitMs);
    child.stdout.on('data', (chunk: Buffer) => {
      sizeBytes += chunk.length;
      chunks.push(chunk);
      if (sizeBytes > MAX_OUTPUT_BYTES) stop('printed more than 64 KiB');
    });
    passLines(child.stderr, (line) => onNotice(line, 'command'));
    child.on('error', (cause) => end(() => reject(fail('could not be started', cause))));
    child.on('close', (code, signal) => {
      end(() => {
        if (code === 0) resolve(Buffer.concat(chunks).toString('utf8').trim());
        else reject(fail(code === null ? `was ended by ${signal}` : `ended with exit code ${code}`));
      });
    });
  });
  if (output === '') throw fail('printed nothing');
  return readSecretText(output, 'What PANGOLIN_TOKEN_COMMAND printed');
}

function passLines(stream: NodeJS.ReadableStream, pass: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    const lines = (rest + text).split(/\r?\n/);
    rest = lines.pop() ?? '';
    for (const line of lines) pass(line);
  });
  stream.on('end', () => {
    if (rest !== '') pass(rest);
  });
}
