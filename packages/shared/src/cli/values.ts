import { InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { PRIVILEGES, type Privilege, readPrivilege } from '../contract/privileges.ts';
import type { Role } from '../contract/roles.ts';

/** How long a token shall live, in the fields of the wire. */
type Lifetime =
  | { expires_in_days: number }
  | { expires_in_hours: number }
  | { expires_in_minutes: number }
  | { expires_at: null };

/** Reads `90` (days), `90d`, `12h`, `15m` or `never`. */
export function readLifetime(value: string): Lifetime {
  if (value.trim() === 'never') return { expires_at: null };
  const match = /^([1-9]\d{0,8})([dhm]?)$/.exec(value.trim());
  if (!match) throw new InvalidArgumentError('Give whole days such as 90, or 90d, 12h, 15m, at least 1; or never.');
  const count = Number(match[1]);
  if (match[2] === 'm') return { expires_in_minutes: count };
  return match[2] === 'h' ? { expires_in_hours: count } : { expires_in_days: count };
}

/** Reads a whole number of at least 1. */
export function readWholeNumber(value: string): number {
  if (!/^[1-9]\d{0,8}$/.test(value.trim())) throw new InvalidArgumentError('Give a whole number of at least 1.');
  return Number(value);
}

/** Reads `90d` or `90`, and answers whole days, at most ten years of them. */
export function readDays(value: string): number {
  const days = Number(/^([1-9]\d{0,3})d?$/.exec(value.trim())?.[1]);
  if (!(days <= 3650)) throw new InvalidArgumentError('Give whole days such as 90d, at most 3650d.');
  return days;
}

/** Reads a day (`2027-01-31`: until its end in UTC) or an RFC 3339 time, and answers RFC 3339. */
export function readExpiry(value: string): string {
  const text = value.trim();
  const day = /^\d{4}-\d{2}-\d{2}$/.test(text);
  const time = /^(\d{4}-\d{2}-\d{2})[Tt ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:[Zz]|[+-]\d{2}:\d{2})$/.exec(text);
  const moment = new Date(day ? `${text}T23:59:59Z` : text);
  if (!(day || time) || Number.isNaN(moment.getTime()) || !isCalendarDay(day ? text : (time?.[1] ?? ''))) {
    throw new InvalidArgumentError('Give a date such as 2027-01-31, or a time such as 2027-01-31T12:00:00Z.');
  }
  return moment.toISOString().replace('.000Z', 'Z');
}

// `new Date('2027-02-31')` is the third of March.
const isCalendarDay = (day: string): boolean => {
  const moment = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(moment.getTime()) && moment.toISOString().startsWith(day);
};

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export const isUuid = (value: string): boolean => UUID.test(value);

/** Reads a UUID, in lower case. */
export function readUuid(value: string): string {
  if (!isUuid(value)) throw new InvalidArgumentError('Give a UUID such as 0198c5a4-7d5e-7c3b-9a52-3f1f2f0f8a11.');
  return value.toLowerCase();
}

/** Reads `true` or `false`. */
export function readBoolean(value: string): boolean {
  if (value !== 'true' && value !== 'false') throw new InvalidArgumentError('Give true or false.');
  return value === 'true';
}

/** Reads how long an old key keeps working (`24h`, `7d`, `0`) and answers hours, at most 168. */
export function readGraceHours(value: string): number {
  const match = /^(\d{1,4})([dh]?)$/.exec(value.trim());
  const hours = match ? Number(match[1]) * (match[2] === 'd' ? 24 : 1) : Number.NaN;
  const bare = match?.[2] === '' && hours > 0;
  if (!(hours <= 168) || bare) throw new InvalidArgumentError('Give hours or days such as 24h or 7d (at most), or 0.');
  return hours;
}

const ROLE_NAMES = ['tenant-user', 'tenant-admin', 'root'] as const satisfies readonly Role[];
const SCOPE_NAMES = ['catalog:read', 'catalog:write', 'tokens:read', 'tokens:write'];

/** Any option whose usual values a shell can complete, while others are accepted too. */
const suggest = <O extends Option<string>>(option: O, values: string[]): O => {
  option.argChoices = values;
  return option;
};

// The contract's own reader comes with the schemas, which are slow to load.
function readRole(spelling: string): Role {
  const folded = spelling.toLowerCase().replace(/[-_ ]/g, '');
  const role = ROLE_NAMES.find((name) => name.replace('-', '') === folded);
  if (role === undefined) throw new InvalidArgumentError(`Give one of ${ROLE_NAMES.join(', ')}.`);
  return role;
}

/** `--role`, in any spelling the server understands: `TenantUser`, `tenant_user`, `TENANT USER`. */
export const roleOption = (description: string) =>
  suggest(new Option('--role <role>', description).argParser(readRole), [...ROLE_NAMES]);

/** Reads a privilege in any spelling the server understands: `MANAGE_USERS`, `manage-users`. */
export function readPrivilegeName(spelling: string): Privilege {
  const privilege = readPrivilege(spelling);
  if (privilege === undefined) throw new InvalidArgumentError(`Give one of ${PRIVILEGES.join(', ')}.`);
  return privilege;
}

/** `--privilege`. */
export const privilegeOption = (description: string) =>
  suggest(new Option('--privilege <privilege>', description).argParser(readPrivilegeName), [...PRIVILEGES]);

/** `--scope`, as often as needed. */
export const scopeOption = () =>
  suggest(
    new Option(
      '--scope <scope...>',
      'only this much; a catalog scope may end with a catalog or namespace, as in catalog:read:default.sales or ' +
        'catalog:read:default.sales.eu, where other characters inside a name are percent-encoded (a dot is %2E)',
    ),
    SCOPE_NAMES,
  );
