import { readFile } from 'node:fs/promises';
import { PangolinError } from '../errors.ts';

const readPem = (file: string) => readFile(file, 'utf8');

/**
 * The authorities to trust when a file adds to them: the system's, NODE_EXTRA_CA_CERTS (which Node drops as soon as a list
 * is given) and the file's own. Throws `invalid_argument` naming a file that holds no certificate.
 */
export async function readAuthorities(caFile: string, extraFile: string | undefined): Promise<string[]> {
  const tls = await import('node:tls');
  const hint = 'Give a file with certificates in PEM format: --ca-file FILE or PANGOLIN_CA_FILE';
  let own: string;
  try {
    own = await readPem(caFile);
  } catch (cause) {
    throw new PangolinError('invalid_argument', `The certificate file ${caFile} cannot be read`, { cause, hint });
  }
  try {
    if (!own.includes('-----BEGIN CERTIFICATE-----')) throw new Error('no PEM block');
    tls.createSecureContext({ ca: own });
  } catch (cause) {
    throw new PangolinError('invalid_argument', `The file ${caFile} holds no certificate`, { cause, hint });
  }
  // Node itself only warns when NODE_EXTRA_CA_CERTS cannot be read.
  const extra = extraFile ? await readPem(extraFile).catch(() => '') : '';
  return [...tls.rootCertificates, own, ...(extra === '' ? [] : [extra])];
}
