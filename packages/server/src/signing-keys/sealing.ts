import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { PangolinError } from '@pangolin/shared/errors';

const IV_BYTES = 12;
const TAG_BYTES = 16;

/** Seals a secret with the master key: AES-256-GCM, bound to `name` as additional data. `v1.<base64url>` */
export function seal(masterKey: Buffer, name: string, secret: string): string {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', masterKey, iv).setAAD(Buffer.from(name));
  const sealed = Buffer.concat([iv, cipher.update(secret, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return `v1.${sealed.toString('base64url')}`;
}

/** Opens what `seal` made; throws `master_key_missing` when it was sealed with another key. */
export function unseal(masterKey: Buffer, name: string, sealed: string): string {
  const bytes = Buffer.from(sealed.slice('v1.'.length), 'base64url');
  try {
    const decipher = createDecipheriv('aes-256-gcm', masterKey, bytes.subarray(0, IV_BYTES), {
      authTagLength: TAG_BYTES,
    })
      .setAAD(Buffer.from(name))
      .setAuthTag(bytes.subarray(-TAG_BYTES));
    return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()]).toString('utf8');
  } catch (cause) {
    throw new PangolinError('master_key_missing', 'The master key does not open this database.', {
      cause,
      hint: 'Put back the master.key file that belongs to it.',
    });
  }
}
