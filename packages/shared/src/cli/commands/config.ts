import { resolve } from 'node:path';
import { Argument, type Command } from '@commander-js/extra-typings';
import { importSettings } from '../../config/import-settings.ts';
import type { Profile, ProfileSettings } from '../../config/profiles.ts';
import { readSettings, useProfile, writeProfile } from '../../config/profiles.ts';
import { PangolinError } from '../../errors.ts';
import { printDone, printList } from '../answers.ts';
import type { Context } from '../context.ts';
import { examples } from '../program.ts';
import { type Column, fieldText } from '../table.ts';
import { isUuid } from '../values.ts';

const KEYS = ['url', 'username', 'tenant_id', 'ca_file', 'insecure_http'] as const;
type Key = (typeof KEYS)[number];

/** `config`: the profiles, one per server. */
export function registerConfig(program: Command, ctx: () => Context): void {
  const name = program.name();
  const config = program
    .command('config')
    .summary('list and change profiles')
    .description(`Lists and changes profiles: what is known of each server. Keys: ${KEYS.join(', ')}.`)
    .addHelpText('after', examples(`${name} config list`, `${name} config set url https://pangolin.example.com`));
  config
    .command('list')
    .summary('list the profiles')
    .description('Lists the profiles. In a pipe: name, current, url, username, tenant, separated by tabs.')
    .addHelpText('after', examples(`${name} config list`))
    .action(() => listProfiles(ctx()));
  config
    .command('get')
    .summary('show one setting of a profile')
    .description('Shows one setting of the profile in use, or of --profile.')
    .addArgument(new Argument('<key>', 'which setting').choices(KEYS))
    .addHelpText('after', examples(`${name} config get url`, `${name} config get username --profile staging`))
    .action((key) => getSetting(ctx(), key));
  config
    .command('set')
    .summary('change one setting of a profile')
    .description('Changes one setting of the profile in use, or of --profile. Setting the url creates a profile.')
    .addArgument(new Argument('<key>', 'which setting').choices(KEYS))
    .argument('<value>', 'its new value')
    .addHelpText('after', examples(`${name} config set url https://pangolin.example.com --profile staging`))
    .action((key, value) => setSetting(ctx(), key, value));
  config
    .command('use')
    .summary('choose the profile to use from now on')
    .description('Chooses the profile that is used where neither --profile nor --url is given.')
    .argument('<profile>', 'its name')
    .addHelpText('after', examples(`${name} config use staging`))
    .action((profile) => chooseProfile(ctx(), profile));
  config
    .command('import')
    .summary('read a profile from a file')
    .description('Reads a settings file of lines key=value, such as ~/.featurestore.config, into a profile.')
    .argument('<file>', 'the file')
    .addHelpText('after', examples(`${name} config import ~/.featurestore.config --profile features`))
    .action((file) => importFile(ctx(), file));
}

type Row = Profile & { name: string; current: boolean };

const COLUMNS: Column<Row>[] = [
  { title: 'NAME', value: (row) => row.name },
  { title: 'CURRENT', value: (row) => row.current, terminal: (row) => (row.current ? '*' : '') },
  { title: 'URL', value: (row) => row.url },
  { title: 'USERNAME', value: (row) => row.username ?? null },
  { title: 'TENANT', value: (row) => row.tenant_id ?? null },
];

async function listProfiles(ctx: Context): Promise<void> {
  const { current, profiles } = await readSettings(ctx.edges);
  const rows = [...profiles].map(([name, profile]) => ({ name, current: name === current, ...profile }));
  await printList(ctx, COLUMNS, rows, `No profiles yet. Make one: ${ctx.program} login --url URL`);
}

async function getSetting(ctx: Context, key: Key): Promise<void> {
  const { name, profile } = findProfile(ctx, await readSettings(ctx.edges));
  const value = profile?.[key];
  if (value === undefined) {
    throw new PangolinError('not_found', `Profile ${name} has no ${key}.`, {
      hint: `Set it: ${ctx.program} config set ${key} VALUE`,
    });
  }
  await ctx.print({ json: { profile: name, [key]: value }, plain: `${fieldText(value)}\n` });
}

async function setSetting(ctx: Context, key: Key, value: string): Promise<void> {
  const change = { [key]: readValue(key, value) };
  const { name, profile } = findProfile(ctx, await readSettings(ctx.edges));
  const url = key === 'url' ? value : profile?.url;
  if (url === undefined) {
    throw new PangolinError('not_found', `There is no profile ${name} yet.`, {
      hint: `Begin with its url: ${ctx.program} config set url URL --profile ${name}`,
    });
  }
  const changed: Profile = { ...profile, url, ...change };
  await writeProfile(ctx.edges, name, changed);
  await printDone(ctx, { name, ...changed }, `Set ${key} of profile ${name}.`);
}

async function chooseProfile(ctx: Context, name: string): Promise<void> {
  await useProfile(ctx.edges, name);
  await printDone(ctx, { current: name }, `Profile ${name} is used from now on.`);
}

async function importFile(ctx: Context, file: string): Promise<void> {
  const { name, profile, stored } = await importSettings(ctx.edges, file, ctx.flags.profile);
  if (stored?.kind === 'file') await ctx.say(`There is no keyring here: the token is kept in ${stored.location}`);
  if (stored?.kind === 'none') await ctx.say('PANGOLIN_CREDENTIAL_STORE=none: the token is not kept');
  await printDone(ctx, { name, ...profile }, `Imported ${file} as profile ${name}.`);
}

/** The profile a command line means; `profile` is undefined where it does not exist yet. */
function findProfile(ctx: Context, { current, profiles }: ProfileSettings) {
  const name = ctx.flags.profile ?? ctx.edges.env.PANGOLIN_PROFILE ?? current ?? 'default';
  return { name, profile: profiles.get(name) };
}

function readValue(key: Key, value: string): string | boolean {
  const accepted = ACCEPTED[key];
  if (value === '' || !accepted.test(value)) {
    throw new PangolinError('invalid_argument', `${key} cannot be ${JSON.stringify(value)}.`, { hint: accepted.hint });
  }
  if (key === 'insecure_http') return value === 'true';
  return key === 'ca_file' ? resolve(value) : value;
}

const ACCEPTED: Record<Key, { test(value: string): boolean; hint: string }> = {
  url: {
    test: (value) => URL.canParse(value) && /^https?:$/.test(new URL(value).protocol),
    hint: 'Give a URL such as https://pangolin.example.com.',
  },
  username: { test: () => true, hint: 'Give a username.' },
  tenant_id: { test: isUuid, hint: 'Give a UUID.' },
  ca_file: { test: () => true, hint: 'Give a PEM file.' },
  insecure_http: { test: (value) => value === 'true' || value === 'false', hint: 'Give true or false.' },
};
