import { auditRoutes } from './audit/routes.ts';
import { catalogRoutes } from './catalogs/routes.ts';
import { datahubRoutes } from './datahub/routes.ts';
import { graphqlRoutes } from './graphql/routes.ts';
import { publicRoutes } from './installation/routes.ts';
import { policyRoutes } from './policies/routes.ts';
import { serviceUserRoutes } from './service-users/routes.ts';
import { sessionRoutes } from './sessions/routes.ts';
import { settingsRoutes } from './settings/routes.ts';
import { signingKeyRoutes } from './signing-keys/routes.ts';
import { tenantRoutes } from './tenants/routes.ts';
import { userRoutes } from './users/routes.ts';

/**
 * Features that are small and loaded late, in one piece: as pieces of their own they would leave what they share in a dozen
 * small files, which every command then loads.
 */
export const controlRoutes = {
  audit: auditRoutes,
  catalogs: catalogRoutes,
  datahub: datahubRoutes,
  graphql: graphqlRoutes,
  policies: policyRoutes,
  public: publicRoutes,
  serviceUsers: serviceUserRoutes,
  sessions: sessionRoutes,
  settings: settingsRoutes,
  signingKeys: signingKeyRoutes,
  tenants: tenantRoutes,
  users: userRoutes,
};
