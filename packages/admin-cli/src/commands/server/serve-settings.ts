import { type Command, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import type { Context } from '@pangolin/shared/cli';
import { readNetwork } from '@pangolin/shared/contract/networks';
import { PangolinError } from '@pangolin/shared/errors';

/** One setting of the server: a flag, the variable that gives it too, and how either is read. */
interface Setting<T> {
  flags: string;
  variable: string;
  group: string;
  description: string;
  /** `before`: what the same flag gave already, for one that may be repeated. */
  read(value: string, before?: T): T;
  /** Whether a value of the variable was put there by something else. */
  ignores?(value: string): boolean;
}

const LISTENING = 'Where it listens:';
const TLS = 'TLS:';
const DATA = 'Data:';
const PROXIES = 'Proxies and limits:';
const AUTHENTICATION = 'Authentication:';
const OPERATION = 'Operation:';

const setting = <T>(one: Setting<T>): Setting<T> => one;

const SETTINGS = {
  port: setting({
    flags: '--port <number>',
    variable: 'PANGOLIN_PORT',
    group: LISTENING,
    description: 'the port; 0 takes a free one (default: 8080)',
    read: readPort,
    // Kubernetes gives every container of a namespace such a variable for a service named "pangolin".
    ignores: (value) => /^(?:tcp|udp|sctp):\/\//.test(value),
  }),
  host: setting({
    flags: '--host <address>',
    variable: 'PANGOLIN_HOST',
    group: LISTENING,
    description: 'the address (default: 127.0.0.1 and ::1)',
    read: readFilled,
  }),
  publicUrl: setting({
    flags: '--public-url <url>',
    variable: 'PANGOLIN_PUBLIC_URL',
    group: LISTENING,
    description: 'what clients reach the server by',
    read: readHttpUrl,
  }),
  tlsCert: setting({
    flags: '--tls-cert <file>',
    variable: 'PANGOLIN_TLS_CERT',
    group: TLS,
    description: 'the certificate and its chain, in PEM; read again on SIGHUP',
    read: readFilled,
  }),
  tlsKey: setting({
    flags: '--tls-key <file>',
    variable: 'PANGOLIN_TLS_KEY',
    group: TLS,
    description: 'its private key, in PEM, which others must not be able to read',
    read: readFilled,
  }),
  dataDir: setting({
    flags: '--data-dir <folder>',
    variable: 'PANGOLIN_DATA_DIR',
    group: DATA,
    description: "the data directory (default: the platform's data folder)",
    read: readFilled,
  }),
  databaseUrl: setting({
    flags: '--database-url <url>',
    variable: 'PANGOLIN_DATABASE_URL',
    group: DATA,
    description: 'a PostgreSQL database, which several servers may share (default: a file in the data directory)',
    read: readFilled,
  }),
  s3RoleArn: setting({
    flags: '--s3-role-arn <arn>',
    variable: 'PANGOLIN_S3_ROLE_ARN',
    group: DATA,
    description: 'the role that short-lived credentials for tables on S3 are made with',
    read: readFilled,
  }),
  trustedProxies: setting({
    flags: '--trusted-proxy <cidr...>',
    variable: 'PANGOLIN_TRUSTED_PROXIES',
    group: PROXIES,
    description: 'proxies whose X-Forwarded-For is believed (default: none)',
    read: readNetworks,
  }),
  failuresPerMinute: setting({
    flags: '--failure-limit <number>',
    variable: 'PANGOLIN_FAILURE_LIMIT',
    group: PROXIES,
    description: 'wrong credentials a minute from one address, before they are answered 429 (default: 60)',
    read: (value: string) => readNumber(value, 1, 1_000_000),
  }),
  metricsAllow: setting({
    flags: '--metrics-allow <cidr...>',
    variable: 'PANGOLIN_METRICS_ALLOW',
    group: OPERATION,
    description: 'who may read /metrics, instead of this machine alone',
    read: readNetworks,
  }),
  logLevel: setting({
    flags: '--log-level <level>',
    variable: 'PANGOLIN_LOG_LEVEL',
    group: OPERATION,
    description: 'error, warn, info or debug, which logs every request (default: info)',
    read: readLogLevel,
  }),
  shutdownDelay: setting({
    flags: '--shutdown-delay <seconds>',
    variable: 'PANGOLIN_SHUTDOWN_DELAY',
    group: OPERATION,
    description: 'goes on answering so long when it is stopped, for balancers to see it is not ready (default: 0)',
    read: (value: string) => readNumber(value, 0, 300),
  }),
};

type Settings = typeof SETTINGS;
type Name = keyof Settings;

/** What the flags and variables give; undefined: neither. */
export type ServeSettings = { [K in Name]: ReturnType<Settings[K]['read']> | undefined };

/** Adds every setting to a command, in groups. */
export function addServeOptions<C extends Pick<Command, 'addOption'>>(command: C): C {
  for (const { flags, variable, group, description, read } of Object.values<Setting<unknown>>(SETTINGS)) {
    command.addOption(new Option(flags, `${description} [${variable}]`).argParser(read).helpGroup(group));
  }
  command.addOption(
    new Option(
      '--no-auth',
      'believes whoever asks: acts for the owner, or for whom the header X-DataHub-Actor names; on this machine alone. ' +
        'Its tokens are refused by servers with authentication. A flag alone: no variable turns authentication off',
    ).helpGroup(AUTHENTICATION),
  );
  return command;
}

/** A flag goes before its variable. Throws `invalid_argument` naming the variable that cannot be read. */
export function readServeSettings(given: Record<string, unknown>, env: Context['edges']['env']): ServeSettings {
  const names = Object.keys(SETTINGS) as Name[];
  const entries = names.map((name): [Name, unknown] => {
    const one: Setting<unknown> = SETTINGS[name];
    const flag = given[new Option(one.flags).attributeName()];
    return [name, flag ?? readVariable(one, env[one.variable])];
  });
  return Object.fromEntries(entries) as ServeSettings;
}

function readVariable({ variable, read, ignores }: Setting<unknown>, value: string | undefined): unknown {
  if (value === undefined || ignores?.(value)) return undefined;
  try {
    return read(value);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    throw new PangolinError('invalid_argument', `${variable} is ${JSON.stringify(value)}. ${error.message}`, {
      hint: 'See: pangolin-admin serve --help',
    });
  }
}

function readNumber(value: string, least: number, most: number): number {
  const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
  if (number >= least && number <= most) return number;
  throw new InvalidArgumentError(`Give a whole number from ${least} to ${most}.`);
}

function readPort(value: string): number {
  if (!/^\d{1,5}$/.test(value) || Number(value) > 65_535) {
    throw new InvalidArgumentError('Give a port from 0 to 65535.');
  }
  return Number(value);
}

function readFilled(value: string): string {
  if (value.trim() === '') throw new InvalidArgumentError('It is empty.');
  return value;
}

function readHttpUrl(value: string): string {
  if (!URL.canParse(value) || !/^https?:$/.test(new URL(value).protocol)) {
    throw new InvalidArgumentError('Give a URL such as https://pangolin.example.com.');
  }
  return value;
}

const LEVELS = ['error', 'warn', 'info', 'debug'] as const;

function readLogLevel(value: string): (typeof LEVELS)[number] {
  const level = LEVELS.find((one) => one === value.toLowerCase());
  if (level === undefined) throw new InvalidArgumentError(`Give one of ${LEVELS.join(', ')}.`);
  return level;
}

/** One network or several, separated by commas or spaces. */
function readNetworks(value: string, before: string[] = []): string[] {
  const networks = value.split(/[\s,]+/).filter((one) => one !== '');
  if (networks.length === 0) throw new InvalidArgumentError('It is empty.');
  return [
    ...before,
    ...networks.map((text) => {
      const read = readNetwork(text);
      if ('network' in read) return read.network;
      throw new InvalidArgumentError(`${JSON.stringify(text)} ${read.problem}.`);
    }),
  ];
}
