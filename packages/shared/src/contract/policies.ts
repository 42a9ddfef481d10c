/** What can be granted, by the names DataHub's users know. */
export const PRIVILEGES = [
  'GENERATE_PERSONAL_ACCESS_TOKENS',
  'MANAGE_ACCESS_TOKENS',
  'MANAGE_SERVICE_ACCOUNTS',
  'MANAGE_USERS',
  'MANAGE_CATALOGS',
  'VIEW_AUDIT',
] as const;
export type Privilege = (typeof PRIVILEGES)[number];
