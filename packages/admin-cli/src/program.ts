import {
  type ProgramDescriptor,
  registerCompletion,
  registerConfig,
  registerListCatalogs,
  registerLogin,
  registerLogout,
  registerRevokeToken,
  registerWhoami,
  runProcess,
} from '@pangolin/shared/cli';
import { registerCountAuditEvents } from './commands/audit/count-audit-events.ts';
import { registerExportAudit } from './commands/audit/export-audit.ts';
import { registerGetAuditEvent } from './commands/audit/get-audit-event.ts';
import { registerListAuditEvents } from './commands/audit/list-audit-events.ts';
import { registerVerifyAudit } from './commands/audit/verify-audit.ts';
import { registerCreateCatalog } from './commands/catalogs/create-catalog.ts';
import { registerDeleteCatalog } from './commands/catalogs/delete-catalog.ts';
import { registerBackup } from './commands/data/backup.ts';
import { registerMigrateData } from './commands/data/migrate-data.ts';
import { registerRestore } from './commands/data/restore.ts';
import { registerGrant } from './commands/policies/grant.ts';
import { registerListPolicies } from './commands/policies/list-policies.ts';
import { registerRevokeGrant } from './commands/policies/revoke-grant.ts';
import { registerServe } from './commands/server/serve.ts';
import { registerCreateServiceUser } from './commands/service-users/create-service-user.ts';
import { registerDeleteServiceUser } from './commands/service-users/delete-service-user.ts';
import { registerGetServiceUser } from './commands/service-users/get-service-user.ts';
import { registerListServiceUsers } from './commands/service-users/list-service-users.ts';
import { registerRotateServiceUserKey } from './commands/service-users/rotate-service-user-key.ts';
import { registerUpdateServiceUser } from './commands/service-users/update-service-user.ts';
import { registerGetSettings } from './commands/settings/get-settings.ts';
import { registerUpdateSettings } from './commands/settings/update-settings.ts';
import { registerListSigningKeys } from './commands/signing-keys/list-signing-keys.ts';
import { registerRotateMasterKey } from './commands/signing-keys/rotate-master-key.ts';
import { registerRotateSigningKey } from './commands/signing-keys/rotate-signing-key.ts';
import { registerCreateTenant } from './commands/tenants/create-tenant.ts';
import { registerDeleteTenant } from './commands/tenants/delete-tenant.ts';
import { registerListTenants } from './commands/tenants/list-tenants.ts';
import { registerUpdateTenant } from './commands/tenants/update-tenant.ts';
import { registerCreateAccessToken } from './commands/tokens/create-access-token.ts';
import { registerDeleteToken } from './commands/tokens/delete-token.ts';
import { registerListAccessTokens } from './commands/tokens/list-access-tokens.ts';
import { registerListUserTokens } from './commands/tokens/list-user-tokens.ts';
import { registerPruneTokens } from './commands/tokens/prune-tokens.ts';
import { registerRevokeTokenById } from './commands/tokens/revoke-token-by-id.ts';
import { registerRevokeUserTokens } from './commands/tokens/revoke-user-tokens.ts';
import { registerCreateUser } from './commands/users/create-user.ts';
import { registerDeleteUser } from './commands/users/delete-user.ts';
import { registerListUsers } from './commands/users/list-users.ts';
import { registerResetPassword } from './commands/users/reset-password.ts';
import { registerUpdateUser } from './commands/users/update-user.ts';

/** pangolin-admin: service users, users, everybody's tokens, and the server. */
export const pangolinAdmin = (version: string): ProgramDescriptor => ({
  name: 'pangolin-admin',
  version,
  summary: 'Service users, users, tokens and the server of your data catalog.',
  firstSteps: [
    ['pangolin-admin create-service-user --name NAME', 'a key for a program; nothing to set up'],
    ['pangolin-admin serve', 'start the server'],
    ['pangolin-admin login --url URL', 'use another server'],
  ],
  commands: [
    registerServe,
    registerCreateServiceUser,
    registerListServiceUsers,
    registerGetServiceUser,
    registerUpdateServiceUser,
    registerDeleteServiceUser,
    registerRotateServiceUserKey,
    registerCreateUser,
    registerListUsers,
    registerUpdateUser,
    registerResetPassword,
    registerDeleteUser,
    registerCreateTenant,
    registerListTenants,
    registerUpdateTenant,
    registerDeleteTenant,
    registerCreateAccessToken,
    registerListAccessTokens,
    registerListUserTokens,
    registerRevokeToken,
    registerRevokeTokenById,
    registerRevokeUserTokens,
    registerDeleteToken,
    registerPruneTokens,
    registerCreateCatalog,
    registerListCatalogs,
    registerDeleteCatalog,
    registerListAuditEvents,
    registerCountAuditEvents,
    registerGetAuditEvent,
    registerVerifyAudit,
    registerExportAudit,
    registerListPolicies,
    registerGrant,
    registerRevokeGrant,
    registerListSigningKeys,
    registerRotateSigningKey,
    registerRotateMasterKey,
    registerGetSettings,
    registerUpdateSettings,
    registerBackup,
    registerRestore,
    registerMigrateData,
    registerLogin,
    registerLogout,
    registerWhoami,
    registerConfig,
    registerCompletion,
  ],
});

/** Runs pangolin-admin as this process. */
export const run = (version: string): Promise<void> => runProcess(pangolinAdmin(version));
