import type { Settings } from '@pangolin/shared/contract/settings';
import type { Executor } from '../store/schema.ts';

export const findSettings = (db: Executor, tenantId: string): Promise<Settings | undefined> =>
  db
    .selectFrom('settings')
    .select(['default_token_days', 'max_token_days', 'max_tokens_per_user', 'session_hours'])
    .where('tenant_id', '=', tenantId)
    .executeTakeFirst();

export const saveSettings = (db: Executor, tenantId: string, settings: Settings) =>
  db
    .insertInto('settings')
    .values({
      tenant_id: tenantId,
      allow_non_expiring_tokens: 0,
      role_limits: '{}',
      allowed_networks: '[]',
      ...settings,
    })
    .onConflict((conflict) => conflict.column('tenant_id').doUpdateSet(settings))
    .execute();
