export type { ActiveUser, Auth } from './auth/create-auth.ts';
export type { GenerateOptions, PersonalAccessToken, PersonalAccessTokens } from './auth/pats.ts';
export type { FromWire } from './client/camel-case.ts';
export { connect } from './client/connect.ts';
export type { Connection, ConnectOptions, CredentialSource, NoticeKind, Surroundings } from './client/connect-types.ts';
export { type ClientOptions, createClient, type PangolinClient } from './client/create-client.ts';
export { readSurroundings } from './client/process-surroundings.ts';
export type { AuditResource } from './client/resources/audit.ts';
export type { CatalogsResource } from './client/resources/catalogs.ts';
export type { PoliciesResource } from './client/resources/policies.ts';
export type { ServiceUsersResource } from './client/resources/service-users.ts';
export type { SettingsResource } from './client/resources/settings.ts';
export type { TenantsResource } from './client/resources/tenants.ts';
export type { TokensResource } from './client/resources/tokens.ts';
export type { UsersResource } from './client/resources/users.ts';
export type { ListOptions, WireClient } from './client/wire-client.ts';
export type {
  AuditEvent,
  Catalog,
  Grant,
  IssuedApiKey,
  IssuedToken,
  Me,
  Privilege,
  Role,
  ServiceUser,
  Settings,
  Tenant,
  Token,
  User,
} from './contract/index.ts';
export { type ErrorCode, type FieldProblem, PangolinError } from './errors.ts';
