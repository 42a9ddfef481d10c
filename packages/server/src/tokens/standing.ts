import { ROLES, type Role } from '@pangolin/shared/contract/roles';
import type { Settings } from '@pangolin/shared/contract/settings';
import type { Deps } from '../deps.ts';
import { type Limits, limitsFor } from '../settings/limits.ts';
import { readSettings } from '../settings/settings.ts';
import type { Executor } from '../store/schema.ts';
import type { Standing } from '../store/token-status.ts';

/** What judging tokens in lists takes, from a tenant's settings. */
export const standingBy = (
  settings: Settings,
  { now, authenticates }: Pick<Deps, 'now' | 'authenticates'>,
): Standing => ({
  nowMs: now(),
  refusesUnauthenticated: authenticates,
  sessionHours: settings.session_hours,
  limits: Object.fromEntries(ROLES.map((role) => [role, limitsFor(role, settings)])) as Record<Role, Limits>,
});

/** The same from the settings as they are now. */
export const readStanding = async (db: Executor, deps: Deps, tenantId: string): Promise<Standing> =>
  standingBy(await readSettings(db, tenantId), deps);
