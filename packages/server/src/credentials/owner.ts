import type { Installation } from '../installation/installation.ts';
import { ALL_PRIVILEGES } from '../policies/privileges.ts';
import type { Actor } from './caller.ts';

/** Whoever can read the data directory is its owner. */
export const createOwner = (of: {
  installation: Pick<Installation, 'ownerId' | 'defaultTenantId'>;
  ownerName: string;
}): Actor => ({
  id: of.installation.ownerId,
  kind: 'owner',
  name: of.ownerName,
  email: null,
  tenantId: of.installation.defaultTenantId,
  role: 'root',
  scopes: [],
  privileges: ALL_PRIVILEGES,
  allowedNetworks: [],
  epoch: 0,
  credential: { ...NO_CREDENTIAL, type: 'owner' },
});

/** Of whoever is believed to be who they say they are. */
export const NO_CREDENTIAL: Actor['credential'] = {
  type: 'none',
  id: null,
  createdAtMs: 0,
  expiresAtMs: null,
  endsAtMs: null,
  renewableUntilMs: null,
  ownGrantsUntilMs: null,
  root: null,
};
