import { PangolinError } from '@pangolin/shared/errors';

/** Whose a refused credential or login was, as far as that is established; carried as the cause of the refusal. */
export class RefusedSubject {
  readonly kind: 'login' | 'credential';
  /** Null: of no tenant there is. */
  readonly tenantId: string | null;
  readonly principal: { id: string; name: string | null } | null;
  readonly credential: { type: string; id: string } | null;

  constructor(
    kind: 'login' | 'credential',
    known: Pick<RefusedSubject, 'tenantId'> & Partial<Pick<RefusedSubject, 'principal' | 'credential'>>,
  ) {
    this.kind = kind;
    this.tenantId = known.tenantId;
    this.principal = known.principal ?? null;
    this.credential = known.credential ?? null;
  }
}

/** The same refusal, knowing whose it was; anything but a refusal as it is. */
export function withSubject(error: unknown, subject: RefusedSubject): unknown {
  if (!(error instanceof PangolinError) || ![401, 403, 429].includes(error.status)) return error;
  const { code, message, hint, retryAfterSeconds } = error;
  return new PangolinError(code, message, {
    cause: subject,
    hint,
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  });
}

const MAX_DEPTH = 5;

/** The subject that a refusal carries, through whatever was made of it. */
export function findSubject(error: unknown): RefusedSubject | undefined {
  let cause = error;
  for (let depth = 0; depth < MAX_DEPTH && typeof cause === 'object' && cause !== null; depth += 1) {
    if (cause instanceof RefusedSubject) return cause;
    cause = 'cause' in cause ? cause.cause : undefined;
  }
  return undefined;
}
