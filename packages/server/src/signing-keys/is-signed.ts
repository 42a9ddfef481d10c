import { type KeyObject, verify } from 'node:crypto';

/** Whether a signature is the key's: ES256 (RFC 7518 §3.4), in the thread pool, so that other requests go on meanwhile. */
export const isSigned = (signed: Uint8Array, key: KeyObject, signature: Uint8Array): Promise<boolean> =>
  new Promise((resolve, reject) => {
    verify('sha256', signed, { key, dsaEncoding: 'ieee-p1363' }, signature, (error, isGood) => {
      if (error) reject(error);
      else resolve(isGood);
    });
  });
