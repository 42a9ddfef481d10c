import { type Column, type FieldValue, formatTime } from '@pangolin/shared/cli';
import type { IssuedApiKey, ServiceUser } from '@pangolin/shared/contract';

/** The columns of a list of service users. */
export const SERVICE_USER_COLUMNS: Column<ServiceUser>[] = [
  { title: 'ID', value: (user) => user.id },
  { title: 'NAME', value: (user) => user.name, flexible: true },
  { title: 'ROLE', value: (user) => user.role },
  { title: 'ACTIVE', value: (user) => user.active, terminal: (user) => (user.active ? 'yes' : 'no') },
  { title: 'CREATED', value: (user) => user.created_at, terminal: null },
  { title: 'EXPIRES', value: (user) => user.expires_at, terminal: (user) => formatTime(user.expires_at) },
  { title: 'LAST USED', value: (user) => user.last_used, terminal: (user) => formatTime(user.last_used) },
  { title: 'FROM', value: (user) => user.last_used_ip },
  { title: 'CLIENT', value: (user) => user.last_used_client, terminal: null },
  { title: 'DESCRIPTION', value: (user) => user.description, terminal: null },
];

/** The same, and for how many days nobody used each: since its creation, if ever nobody did. */
export const unusedColumns = (nowMs: number): Column<ServiceUser>[] => {
  const days = (user: ServiceUser) => Math.floor((nowMs - Date.parse(user.last_used ?? user.created_at)) / 86_400_000);
  return [
    ...SERVICE_USER_COLUMNS,
    {
      title: 'UNUSED FOR',
      value: days,
      terminal: (user) => `${days(user)} days${user.last_used === null ? ', never used' : ''}`,
    },
  ];
};

/** The fields of one service user; keys by their public part. */
export const serviceUserFields = (user: ServiceUser): Record<string, FieldValue> => ({
  id: user.id,
  name: user.name,
  description: user.description,
  tenant_id: user.tenant_id,
  role: user.role,
  scopes: user.scopes,
  active: user.active,
  created_at: user.created_at,
  created_by: user.created_by,
  expires_at: user.expires_at,
  allowed_networks: user.allowed_networks?.length ? user.allowed_networks : 'any',
  last_used: user.last_used,
  last_used_ip: user.last_used_ip,
  last_used_client: user.last_used_client,
  keys: user.keys.map((key) => key.preview),
});

/** The fields shown with a new key, the key last. */
export const issuedKeyFields = (issued: IssuedApiKey): Record<string, FieldValue> => ({
  Id: issued.id,
  Name: issued.name,
  Role: issued.role,
  Expires: issued.expires_at ?? 'never',
  'API key': issued.api_key,
});
