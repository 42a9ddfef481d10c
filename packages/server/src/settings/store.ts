import type { Settings } from '@pangolin/shared/contract/settings';
import type { Executor } from '../store/schema.ts';

export async function findSettings(db: Executor, tenantId: string): Promise<Settings | undefined> {
  const row = await db
    .selectFrom('settings')
    .select(['default_token_days', 'max_token_days', 'default_key_days', 'max_key_days', 'max_tokens_per_user'])
    .select(['allow_non_expiring_tokens', 'session_hours', 'role_limits', 'allowed_networks'])
    .select('allowed_token_durations')
    .where('tenant_id', '=', tenantId)
    .executeTakeFirst();
  return (
    row && {
      ...row,
      allow_non_expiring_tokens: row.allow_non_expiring_tokens === 1,
      role_limits: JSON.parse(row.role_limits),
      allowed_networks: JSON.parse(row.allowed_networks),
      allowed_token_durations: JSON.parse(row.allowed_token_durations),
    }
  );
}

export function saveSettings(db: Executor, tenantId: string, settings: Settings) {
  const row = {
    ...settings,
    allow_non_expiring_tokens: settings.allow_non_expiring_tokens ? 1 : 0,
    role_limits: JSON.stringify(settings.role_limits),
    allowed_networks: JSON.stringify(settings.allowed_networks),
    allowed_token_durations: JSON.stringify(settings.allowed_token_durations),
  };
  return db
    .insertInto('settings')
    .values({ tenant_id: tenantId, ...row })
    .onConflict((conflict) => conflict.column('tenant_id').doUpdateSet(row))
    .execute();
}
