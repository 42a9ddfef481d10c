import { isUuid, PangolinError } from '@pangolin/shared/cli';
import type { GrantPage } from '@pangolin/shared/contract';

/** How a command line names whom something is granted to: by exactly one of these. */
export interface GranteeOptions {
  role?: string;
  user?: string;
  serviceUser?: string;
}

/** A grantee in the fields of the wire, and as a remark names it. */
export interface ChosenGrantee {
  fields: Pick<GrantPage, 'role' | 'user_id' | 'username' | 'service_user_id' | 'service_user_name'>;
  label: string;
}

/** Whom the options name, or undefined where they name nobody; refuses more than one. */
export function chooseGrantee(command: string, { role, user, serviceUser }: GranteeOptions): ChosenGrantee | undefined {
  const given = [role, user, serviceUser].filter((value) => value !== undefined);
  if (given.length > 1) {
    throw new PangolinError('invalid_argument', `${command} takes one of --role, --user and --service-user.`, {
      hint: 'Say it once for each.',
    });
  }
  if (role !== undefined) return { fields: { role }, label: `the role ${role}` };
  if (user !== undefined) {
    return { fields: isUuid(user) ? { user_id: user } : { username: user }, label: `the user ${user}` };
  }
  if (serviceUser === undefined) return undefined;
  return {
    fields: isUuid(serviceUser) ? { service_user_id: serviceUser } : { service_user_name: serviceUser },
    label: `the service user ${serviceUser}`,
  };
}

/** The error for a command line that says what, and not to whom. */
export const granteeMissing = (command: string): PangolinError =>
  new PangolinError('invalid_argument', `${command} needs to know whom: --role, --user or --service-user.`, {
    hint: 'See what is granted to whom: pangolin-admin list-policies',
  });
