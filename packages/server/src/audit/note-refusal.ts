import type { PangolinError } from '@pangolin/shared/errors';
import { findSubject, type RefusedSubject } from '../credentials/refused-subject.ts';
import type { Deps } from '../deps.ts';
import type { Bindings } from '../http/env.ts';
import { readAddress } from '../http/headers.ts';
import { hideSecrets } from '../http/request-log.ts';
import { type AuditSource, BY_THE_SERVER, SYSTEM_CHAIN, toSource } from './record.ts';
import type { Refusal } from './refusals.ts';

const MAX_PATH_LENGTH = 200;

/** A request, as far as a refusal of it is recorded. */
interface Asked {
  method: string;
  url: string;
}

/**
 * Has a refused request recorded in the audit log: what nobody was allowed (401, 403, 421, 429), and what the policy does
 * not allow (422). Not what could not be done for other reasons, such as conflicts: nobody was denied anything.
 */
export function noteRefusal(deps: Deps, asked: Asked, env: Bindings): void {
  const { refusal } = env;
  if (refusal && isDenial(refusal)) deps.refusals.note(toRefusal(deps, asked, env, refusal));
}

const DENIALS = new Set([401, 403, 421, 429]);

const isDenial = ({ status, code }: PangolinError): boolean => DENIALS.has(status) || code === 'policy_refused';

function toRefusal(deps: Deps, asked: Asked, env: Bindings, refusal: PangolinError): Refusal {
  const subject = findSubject(refusal);
  const { caller, refused } = env;
  const { defaultTenantId } = deps.installation;
  const { code } = refusal;
  if (subject) {
    const { tenantId } = subject;
    const place = { chain: tenantId ?? SYSTEM_CHAIN, tenantId: tenantId ?? defaultTenantId };
    return { ...place, code, event: describeSubject(subject), by: sourceOf(subject, env) };
  }
  if (!caller) {
    const action = refusal.status === 401 && code !== 'authentication_required' ? 'credential' : 'request';
    const event = { action: `${action}.refused`, resourceType: action, resourceId: null };
    return { chain: SYSTEM_CHAIN, tenantId: defaultTenantId, code, event, by: sourceOf(null, env) };
  }
  const { tenantId } = caller.actor;
  const request = { action: 'request.refused', resourceType: 'request', resourceName: describeRequest(asked) };
  return {
    chain: tenantId,
    tenantId,
    code,
    event: { resourceId: null, ...(refused ?? request) },
    by: toSource(caller),
  };
}

/** A username as it was typed may be a password in the wrong field: only that of a user there is arrives here. */
const describeSubject = ({ kind, principal, credential }: RefusedSubject): Refusal['event'] =>
  kind === 'login'
    ? {
        action: 'login.refused',
        resourceType: 'user',
        resourceId: principal?.id ?? null,
        resourceName: principal?.name ?? null,
      }
    : { action: 'credential.refused', resourceType: 'credential', resourceId: credential?.id ?? null };

const sourceOf = (subject: RefusedSubject | null, env: Bindings): AuditSource => ({
  ...BY_THE_SERVER,
  user_id: subject?.principal?.id ?? null,
  username: subject?.principal?.name ?? null,
  credential_type: subject?.credential?.type ?? null,
  credential_id: subject?.credential?.id ?? null,
  ip: readAddress({ env }),
  request_id: env.requestId,
});

const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi;

/** `GET /api/v1/users/{id}`: the same for every object, and without what somebody put there by mistake. */
function describeRequest({ method, url }: Asked): string {
  const path = hideSecrets(url.replace(/^[a-z]+:\/\/[^/]*/i, ''));
  return `${method} ${path.replace(UUID, '{id}').slice(0, MAX_PATH_LENGTH)}`;
}
