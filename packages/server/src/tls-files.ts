import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { PangolinError } from '@pangolin/shared/errors';
import { DAY_MS, formatTime } from './times.ts';

/** Where a certificate (with its chain) and its private key rest, both in PEM. */
export interface TlsFiles {
  cert: string;
  key: string;
}

/** What TLS is spoken with. */
export interface TlsIdentity {
  cert: Buffer;
  key: Buffer;
  expiresAtMs: number;
}

const WORLD_READABLE = 0o004;
const EXPIRES_SOON_MS = 14 * DAY_MS;

/**
 * Reads a certificate and its key, and checks what would otherwise show at a client's first connection.
 * Throws `invalid_argument` naming the file and what is wrong with it.
 */
export async function readTlsFiles({ cert: certFile, key: keyFile }: TlsFiles, nowMs: number): Promise<TlsIdentity> {
  const cert = await read('--tls-cert', certFile);
  const key = await read('--tls-key', keyFile);
  const { mode } = await stat(keyFile);
  if (process.platform !== 'win32' && (mode & WORLD_READABLE) !== 0) {
    throw refused(
      `Everybody on this machine can read the TLS key ${keyFile}.`,
      `Make it private: chmod 600 ${keyFile}`,
    );
  }
  const certificate = parseCertificate(cert, certFile);
  if (!certificate.checkPrivateKey(parseKey(key, keyFile))) {
    throw refused(
      `The TLS key ${keyFile} is not the one of the certificate ${certFile}.`,
      'Give the key the certificate was made for; in a chain, the server’s own certificate comes first.',
    );
  }
  const expiresAtMs = Date.parse(certificate.validTo);
  if (expiresAtMs <= nowMs) {
    throw refused(
      `The TLS certificate ${certFile} expired at ${formatTime(expiresAtMs)}.`,
      'Renew it, or check this machine’s clock.',
    );
  }
  if (Date.parse(certificate.validFrom) > nowMs) {
    throw refused(
      `The TLS certificate ${certFile} is valid only from ${formatTime(Date.parse(certificate.validFrom))}.`,
      'Check this machine’s clock.',
    );
  }
  return { cert, key, expiresAtMs };
}

/** Whether somebody should renew it now. */
export const expiresSoon = ({ expiresAtMs }: Pick<TlsIdentity, 'expiresAtMs'>, nowMs: number): boolean =>
  expiresAtMs - nowMs < EXPIRES_SOON_MS;

const refused = (message: string, hint: string, cause?: unknown) =>
  new PangolinError('invalid_argument', message, { hint, cause });

async function read(flag: string, file: string): Promise<Buffer> {
  return readFile(file).catch((cause) => {
    const { code } = cause as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'does not exist' : 'cannot be read';
    throw refused(`The file ${file} (${flag}) ${reason}.`, 'Check the path, and that this account may read it.', cause);
  });
}

function parseCertificate(pem: Buffer, file: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw refused(`The file ${file} (--tls-cert) holds no certificate.`, 'Give a certificate in PEM format.', cause);
  }
}

function parseKey(pem: Buffer, file: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    const isLocked = /ENCRYPTED/.test(pem.toString('latin1'));
    throw isLocked
      ? refused(`The TLS key ${file} is encrypted.`, `Decrypt it first: openssl pkey -in ${file} -out key.pem`, cause)
      : refused(`The file ${file} (--tls-key) holds no private key.`, 'Give a private key in PEM format.', cause);
  }
}
