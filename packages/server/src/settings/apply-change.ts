import { TOKEN_DURATION_NAMES } from '@pangolin/shared/contract/durations';
import { ROLES } from '@pangolin/shared/contract/roles';
import type { RoleLimits, Settings, UpdateSettings } from '@pangolin/shared/contract/settings';
import { PangolinError } from '@pangolin/shared/errors';

type Pair = Partial<Record<keyof RoleLimits, number | null | undefined>>;

/**
 * The settings after a change: what it does not name stays, null takes a limit away. A maximum that is lowered takes the
 * default down with it. Throws `invalid_request` for a default that is asked to be above its maximum.
 */
export function applyChange(before: Settings, change: UpdateSettings): Settings {
  const { role_limits, ...tenantWide } = change;
  const after: Settings = { ...before, ...withoutUndefined(tenantWide), role_limits: { ...before.role_limits } };
  keepDefaultsBelow(after, tenantWide, '');
  // However they were listed: the same ones are the same settings.
  after.allowed_token_durations = TOKEN_DURATION_NAMES.filter((one) => after.allowed_token_durations.includes(one));
  for (const role of ROLES) {
    const asked = role_limits?.[role];
    if (asked === undefined) continue;
    const merged = { ...before.role_limits[role], ...withoutUndefined(asked ?? {}) };
    const limits = Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== null)) as RoleLimits;
    keepDefaultsBelow(limits, asked ?? {}, `role_limits.${role}.`);
    if (asked === null || Object.keys(limits).length === 0) delete after.role_limits[role];
    else after.role_limits[role] = limits;
  }
  return after;
}

function keepDefaultsBelow(limits: Pair, asked: Pair, prefix: string): void {
  for (const kind of ['token', 'key'] as const) {
    const maximum = limits[`max_${kind}_days`];
    const standard = limits[`default_${kind}_days`];
    if (typeof maximum !== 'number' || typeof standard !== 'number' || standard <= maximum) continue;
    if (typeof asked[`default_${kind}_days`] === 'number') {
      const field = `${prefix}default_${kind}_days`;
      const message = `must not be above max_${kind}_days (${maximum})`;
      throw new PangolinError('invalid_request', `The field '${field}' ${message}.`, { fields: [{ field, message }] });
    }
    limits[`default_${kind}_days`] = maximum;
  }
}

const withoutUndefined = <T extends object>(fields: T) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Key in keyof T]: Exclude<T[Key], undefined>;
  };
