import { buildProgram, type CommandUnknownOpts as Command, type ProgramDescriptor } from '@pangolin/shared/cli';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { admin, user } from './programs.ts';
import { type Home, openHome } from './run-cli.ts';

let home: Home;
beforeAll(async () => {
  home = await openHome();
});
afterAll(() => home.remove());

class Parsed extends Error {}

/** A program whose commands parse their options and stop there. */
function parsingProgram(descriptor: ProgramDescriptor) {
  return buildProgram(descriptor, {
    writeHelp: () => {},
    helpWidth: 80,
    onFlags: () => {},
    ctx: () => {
      throw new Parsed();
    },
  });
}

const leaves = (command: Command): Command[] =>
  command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);

const words = (line: string): string[] =>
  [...line.replace(/ [<>] \S+$/, '').matchAll(/"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2] ?? '');

for (const descriptor of [user, admin]) {
  describe(descriptor.name, () => {
    const paths = leaves(parsingProgram(descriptor)).map((command) => {
      const names: string[] = [];
      for (let one: Command | null = command; one?.parent; one = one.parent) names.unshift(one.name());
      return names;
    });

    test.each(paths.map((path) => [path.join(' '), path] as const))(
      '%s has help, and every example in it parses',
      async (_, path) => {
        const { stdout, stderr, code } = await home.run(descriptor, [...path, '--help']);
        expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
        const lines = [...stdout.matchAll(/^ {2}\$ (.+)$/gm)].map((match) => words(match[1] ?? ''));
        expect(lines.length).toBeGreaterThan(0);
        for (const [name, ...argv] of lines) {
          expect(name).toBe(descriptor.name);
          const program = parsingProgram(descriptor);
          await expect(program.parseAsync(argv, { from: 'user' })).rejects.toBeInstanceOf(Parsed);
        }
      },
    );

    test('says without arguments what to type first', async () => {
      const { stdout, stderr, code } = await home.run(descriptor, []);
      expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
      expect(stdout).toContain(descriptor.firstSteps[0]?.[0]);
    });

    test('prints its version', async () => {
      const { stdout, stderr, code } = await home.run(descriptor, ['--version']);
      expect({ stdout, stderr, code }).toEqual({ stdout: `${descriptor.version}\n`, stderr: '', code: 0 });
    });

    test('refuses an unknown command, suggesting the nearest one', async () => {
      const { stdout, stderr, code } = await home.run(descriptor, ['list-catalog']);
      expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
      expect(stderr).toContain('Did you mean list-catalogs?');
      expect(stderr).toContain(`${descriptor.name} --help`);
    });

    test.each(paths.map((path) => [path.join(' '), path] as const))(
      '%s refuses an unknown option with exit 2',
      async (_, path) => {
        const { stdout, stderr, code } = await home.run(descriptor, [...path, '--no-such-option']);
        expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
        expect(stderr).toMatch(/^Error: (Unknown option '--no-such-option'|Required option)/);
      },
    );

    test.each(paths.map((path) => [path.join(' '), path] as const))(
      '%s tells a usage error under --json as one object on stderr',
      async (_, path) => {
        const { stdout, stderr, code } = await home.run(descriptor, [...path, '--json', '--no-such-option']);
        expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
        expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'invalid_argument', exit_code: 2 } });
      },
    );

    test.each(['bash', 'zsh', 'fish'])('prints a %s completion that names every command', async (shell) => {
      const { stdout, stderr, code } = await home.run(descriptor, ['completion', shell]);
      expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
      for (const path of paths) expect(stdout).toContain(path.at(-1));
      expect(stdout).toContain('tenant-id');
    });

    test('refuses a shell it cannot complete for', async () => {
      const { stdout, stderr, code } = await home.run(descriptor, ['completion', 'tcsh']);
      expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
      expect(stderr).toContain('bash, zsh, fish');
    });
  });
}
