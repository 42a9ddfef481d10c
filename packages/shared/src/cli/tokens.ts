import type { Token } from '../contract/tokens.ts';
import { formatTime } from './answers.ts';
import type { Column, FieldValue } from './table.ts';

/** What a token is now; `stopped`: its owner or what it was minted with is no longer valid. */
export function tokenStatus(token: Token, now: number): 'valid' | 'revoked' | 'expired' | 'stopped' {
  if (token.is_valid) return 'valid';
  if (token.revoked_at !== null) return 'revoked';
  return token.expires_at !== null && Date.parse(token.expires_at) <= now ? 'expired' : 'stopped';
}

/** The columns of every list of tokens. */
export const tokenColumns = (now: number): Column<Token>[] => [
  { title: 'ID', value: (token) => token.id },
  { title: 'STATUS', value: (token) => tokenStatus(token, now) },
  { title: 'KIND', value: (token) => token.kind },
  { title: 'NAME', value: (token) => token.name, terminal: null },
  {
    title: 'DESCRIPTION',
    value: (token) => token.description,
    terminal: (token) => token.name ?? token.description ?? '',
    flexible: true,
  },
  { title: 'CREATED', value: (token) => token.created_at, terminal: null },
  {
    title: 'EXPIRES',
    value: (token) => token.expires_at ?? 'never',
    terminal: (token) => formatTime(token.expires_at ?? 'never'),
  },
  { title: 'LAST USED', value: (token) => token.last_used_at, terminal: (token) => formatTime(token.last_used_at) },
  { title: 'FROM', value: (token) => token.last_used_ip },
  { title: 'CLIENT', value: (token) => token.last_used_client, terminal: null },
];

/** The fields of one token. */
export const tokenFields = (token: Token, now: number): Record<string, FieldValue> => ({
  id: token.id,
  status: tokenStatus(token, now),
  kind: token.kind,
  name: token.name,
  description: token.description,
  user_id: token.user_id,
  username: token.username,
  role: token.role,
  tenant_id: token.tenant_id,
  scopes: token.scopes,
  created_at: token.created_at,
  created_by: token.created_by,
  expires_at: token.expires_at ?? 'never',
  last_used_at: token.last_used_at,
  last_used_ip: token.last_used_ip,
  last_used_client: token.last_used_client,
  revoked_at: token.revoked_at,
  revoked_reason: token.revoked_reason,
});
