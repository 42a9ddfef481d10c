import { PangolinError } from '@pangolin/shared/errors';
import type { Log } from './deps.ts';
import type { Serving } from './serving.ts';
import { DAY_MS, formatTime } from './times.ts';
import { expiresSoon, readTlsFiles, type TlsFiles, type TlsIdentity } from './tls-files.ts';

/** The certificate a server shows, for as long as it runs. */
export interface Tls {
  /** What new listeners begin with; null: no TLS. */
  identity: TlsIdentity | null;
  /** Reads the files again; answers what to show from now on, or null where everything stays. */
  reload(): Promise<TlsIdentity | null>;
  close(): void;
}

/** Reads the files and watches the certificate's end. Throws `invalid_argument` for files that cannot be used. */
export async function openTls(
  files: TlsFiles | undefined,
  { log, now, serving }: { log: Log; now(): number; serving: Serving },
): Promise<Tls> {
  if (!files) return { identity: null, reload: async () => null, close() {} };
  let current = await readTlsFiles(files, now());

  function note(): void {
    serving.certificateEndsAtMs = current.expiresAtMs;
    const fields = { tls_cert: files?.cert, expires_at: formatTime(current.expiresAtMs) };
    if (current.expiresAtMs <= now()) log.error(fields, 'the TLS certificate has expired; renew it and send SIGHUP');
    else if (expiresSoon(current, now())) log.warn(fields, 'the TLS certificate expires soon');
  }

  note();
  const watching = setInterval(note, DAY_MS).unref();
  return {
    identity: current,
    async reload() {
      try {
        current = await readTlsFiles(files, now());
      } catch (error) {
        const reason = error instanceof PangolinError ? `${error.message} ${error.hint ?? ''}`.trim() : 'unreadable';
        log.error({ reason, tls_cert: files.cert }, 'TLS files not reloaded; the old certificate stays');
        return null;
      }
      log.info({ tls_cert: files.cert, expires_at: formatTime(current.expiresAtMs) }, 'TLS certificate reloaded');
      note();
      return current;
    },
    close: () => clearInterval(watching),
  };
}
