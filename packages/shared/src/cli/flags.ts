import { type Command, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { readUuid } from './values.ts';

/** The options every command understands, before or after its name. */
export interface GlobalFlags {
  url?: string;
  profile?: string;
  tenantId?: string;
  tenant?: string;
  caFile?: string;
  insecureHttp: boolean;
  tokenStdin: boolean;
  json: boolean;
  quiet: boolean;
  color: boolean;
  input: boolean;
}

const readFilled = (value: string): string => {
  if (value.trim() === '') throw new InvalidArgumentError('It is empty.');
  return value;
};

/** Fresh options each time, because a commander option belongs to one command. */
export const globalOptions = (): Option[] => [
  new Option('--url <url>', 'the server to talk to (PANGOLIN_URL)').argParser(readFilled),
  new Option('-p, --profile <name>', 'the profile to use (PANGOLIN_PROFILE)').argParser(readFilled),
  new Option('--tenant <tenant>', 'act in this tenant, by its name or id (PANGOLIN_TENANT)').argParser(readFilled),
  new Option('--tenant-id <uuid>', 'act in this tenant, by its id (PANGOLIN_TENANT_ID)').argParser(readUuid),
  new Option('--token-stdin', 'read the access token from standard input'),
  new Option('--ca-file <file>', 'trust the certificate authorities in this PEM file').argParser(readFilled),
  new Option('--insecure-http', 'allow unencrypted http beyond this machine'),
  new Option('--json', 'answer in JSON'),
  new Option('-q, --quiet', 'say nothing on stderr but errors'),
  new Option('--no-color', 'no colour'),
  new Option('--no-input', 'never ask; fail and name the missing option'),
];

/** The global options as given anywhere on the command line; the one nearest to the command's name wins. */
export function readGlobalFlags(command: Pick<Command, 'opts' | 'getOptionValueSource' | 'parent'>): GlobalFlags {
  const flags: GlobalFlags = {
    insecureHttp: false,
    tokenStdin: false,
    json: false,
    quiet: false,
    color: true,
    input: true,
  };
  const chain: Array<Pick<Command, 'opts' | 'getOptionValueSource' | 'parent'>> = [];
  for (let one: typeof command | null = command; one; one = one.parent) chain.unshift(one);
  for (const one of chain) {
    const given = Object.entries(one.opts()).filter(([name]) => one.getOptionValueSource(name) === 'cli');
    Object.assign(flags, Object.fromEntries(given.filter(([name]) => GLOBAL_NAMES.has(name))));
  }
  return flags;
}

const GLOBAL_NAMES: ReadonlySet<string> = new Set<keyof GlobalFlags>([
  'url',
  'profile',
  'tenantId',
  'tenant',
  'caFile',
  'insecureHttp',
  'tokenStdin',
  'json',
  'quiet',
  'color',
  'input',
]);
