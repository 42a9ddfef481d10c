import { PangolinError } from '@pangolin/shared/errors';
import { judgeAgain } from '../credentials/recheck-credential.ts';
import type { Executor } from '../store/schema.ts';
import { formatEnd, formatOptionalTime } from '../times.ts';
import { listOpenApiKeys, listOpenTokens, listPasswordHolders } from './store.ts';

/** A credential that is good after a restore. Times are RFC 3339. */
export interface SurvivingCredential {
  type: 'token' | 'api_key' | 'password';
  /** A token's `jti`, an API key's public id, or a user's id. */
  id: string;
  owner: string;
  tenant_id: string;
  name: string | null;
  last_used_at: string | null;
  expires_at: string | null;
}

/** Every token, API key and password that a database would accept now. */
export async function listSurvivors(db: Executor, now: () => number): Promise<SurvivingCredential[]> {
  const tokens = await keepGood(db, now, 'personal', await listOpenTokens(db, now()));
  const keys = await keepGood(db, now, 'api_key', await listOpenApiKeys(db));
  const users = await listPasswordHolders(db);
  const present = (type: SurvivingCredential['type'], rows: Open[]): SurvivingCredential[] =>
    rows.map((row) => ({
      type,
      id: row.id,
      owner: row.owner ?? '',
      tenant_id: row.tenant_id,
      name: row.name,
      last_used_at: formatOptionalTime(row.last_used_at),
      expires_at: row.expires_at === null ? null : formatEnd(row.expires_at),
    }));
  return [...present('token', tokens), ...present('api_key', keys), ...present('password', users)];
}

type Open = Awaited<ReturnType<typeof listOpenTokens>>[number];

async function keepGood(db: Executor, now: () => number, type: 'personal' | 'api_key', rows: Open[]): Promise<Open[]> {
  const good: Open[] = [];
  for (const row of rows) {
    try {
      await judgeAgain(db, { now }, { id: row.id, type });
      good.push(row);
    } catch (error) {
      if (!(error instanceof PangolinError)) throw error;
    }
  }
  return good;
}
