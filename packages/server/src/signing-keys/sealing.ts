import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const IV_BYTES = 12;
const TAG_BYTES = 16;

/** Seals a secret with the first of the master keys: AES-256-GCM, bound to `name` as additional data. `v1.<base64url>` */
export function seal([masterKey]: readonly Buffer[], name: string, secret: string): string {
  if (!masterKey) throw new Error('no master key to seal with');
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', masterKey, iv).setAAD(Buffer.from(name));
  const sealed = Buffer.concat([iv, cipher.update(secret, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return `v1.${sealed.toString('base64url')}`;
}

/** What was sealed, and which of the master keys opened it. */
interface Unsealed {
  secret: string;
  by: Buffer;
}

/** Opens what `seal` made, with whichever of the master keys does; undefined when none does. */
export function unseal(masterKeys: readonly Buffer[], name: string, sealed: string): Unsealed | undefined {
  for (const by of masterKeys) {
    const secret = unsealBy(by, name, sealed);
    if (secret !== undefined) return { secret, by };
  }
  return undefined;
}

function unsealBy(masterKey: Buffer, name: string, sealed: string): string | undefined {
  const bytes = Buffer.from(sealed.slice('v1.'.length), 'base64url');
  try {
    const decipher = createDecipheriv('aes-256-gcm', masterKey, bytes.subarray(0, IV_BYTES), {
      authTagLength: TAG_BYTES,
    })
      .setAAD(Buffer.from(name))
      .setAuthTag(bytes.subarray(-TAG_BYTES));
    return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()]).toString('utf8');
  } catch {
    // Sealed by another key, or damaged: node:crypto does not tell which, nor could it.
    return undefined;
  }
}
