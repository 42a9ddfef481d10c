import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/**
 * Certificates for localhost until the year 2120, and their keys, which guard nothing: they were made for these tests with
 * openssl (P-256; the first authority signed all but `other`) and are written here without PEM's frame.
 */
const DER = {
  authority:
    'MIIBgTCCASegAwIBAgIBATAKBggqhkjOPQQDAjAnMSUwIwYDVQQDDBxQYW5nb2xpbiB0ZXN0IGF1dGhvcml0eSAoY2EpMCAXDTIw' +
    'MDEwMTAwMDAwMFoYDzIxMjAwMTAxMDAwMDAwWjAnMSUwIwYDVQQDDBxQYW5nb2xpbiB0ZXN0IGF1dGhvcml0eSAoY2EpMFkwEwYH' +
    'KoZIzj0CAQYIKoZIzj0DAQcDQgAEPYoD3JF8argtvE9Y04tyKKlrp4GAKxto+cASG8R/+nMSHBTINsjzAG7QWNlzW8OtDm4Ef7VC' +
    'a+moiLgMbXxpm6NCMEAwDwYDVR0TAQH/BAUwAwEB/zAOBgNVHQ8BAf8EBAMCAQYwHQYDVR0OBBYEFIWGr3H/FLFfMUd+3Cn/lq8R' +
    'BY+jMAoGCCqGSM49BAMCA0gAMEUCIQD10zkyvmX3/9SHiBf0/1ktnywMt4jY5bx1G/m+CdsglwIgRtoYFNPxAw5421Cv2EphtEGh' +
    'Q5YUjlro/GgyyZCwfbI=',
  otherAuthority:
    'MIIBiDCCAS2gAwIBAgIBAjAKBggqhkjOPQQDAjAqMSgwJgYDVQQDDB9QYW5nb2xpbiB0ZXN0IGF1dGhvcml0eSAob3RoZXIpMCAX' +
    'DTIwMDEwMTAwMDAwMFoYDzIxMjAwMTAxMDAwMDAwWjAqMSgwJgYDVQQDDB9QYW5nb2xpbiB0ZXN0IGF1dGhvcml0eSAob3RoZXIp' +
    'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAESZGt4lahpdQ2sjOgzw79bujQ+JSgiBjItp5w2HvWRP7hJDmKZkvl+3whM8V/nl+h' +
    'egasOKPX7/aWsfClQxMg7aNCMEAwDwYDVR0TAQH/BAUwAwEB/zAOBgNVHQ8BAf8EBAMCAQYwHQYDVR0OBBYEFCX2jjmtTN/8quYb' +
    'NlwFYSWC7rlUMAoGCCqGSM49BAMCA0kAMEYCIQDHaLnPnNTkFDrJONC8xf6xW02bcvoTCT2aHuEigqqIPQIhAOOabYaMDWk3F4mr' +
    't/2YARDvP3IwSMLf79neskW82Mez',
  server:
    'MIIBujCCAWGgAwIBAgIBAzAKBggqhkjOPQQDAjAnMSUwIwYDVQQDDBxQYW5nb2xpbiB0ZXN0IGF1dGhvcml0eSAoY2EpMCAXDTIw' +
    'MDEwMTAwMDAwMFoYDzIxMjAwMTAxMDAwMDAwWjARMQ8wDQYDVQQDDAZzZXJ2ZXIwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQD' +
    'Ojakhaiqz4JlUVdXsjKyrGa3fivA+lY8FoSLwxN6pQCmFqry8Vd8sf0N+53Wv8NUWvjopOntXpPTfrawqrqto4GRMIGOMCwGA1Ud' +
    'EQQlMCOCCWxvY2FsaG9zdIcEfwAAAYcQAAAAAAAAAAAAAAAAAAAAATAJBgNVHRMEAjAAMBMGA1UdJQQMMAoGCCsGAQUFBwMBMB0G' +
    'A1UdDgQWBBQmsXD9YIMaBWccKhZzBK80nSdN5zAfBgNVHSMEGDAWgBSFhq9x/xSxXzFHftwp/5avEQWPozAKBggqhkjOPQQDAgNH' +
    'ADBEAiAm+uSaWErgvww8bHCTwvclK1LtyOnyEJlTPe+yEEaNFAIga8+g1QPrxspAyG9rF0Sdw02SYOpIHy4N0c8UKcsOiuU=',
  serverKey:
    'MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgDqXQNwVqFqKZ7Kq5L9ybhad2RZEVpo2WVT+Ab60/dlihRANCAAQD' +
    'Ojakhaiqz4JlUVdXsjKyrGa3fivA+lY8FoSLwxN6pQCmFqry8Vd8sf0N+53Wv8NUWvjopOntXpPTfrawqrqt',
  renewed:
    'MIIBuzCCAWKgAwIBAgIBBDAKBggqhkjOPQQDAjAnMSUwIwYDVQQDDBxQYW5nb2xpbiB0ZXN0IGF1dGhvcml0eSAoY2EpMCAXDTIw' +
    'MDEwMTAwMDAwMFoYDzIxMjAwMTAxMDAwMDAwWjASMRAwDgYDVQQDDAdyZW5ld2VkMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE' +
    '+qn61SZkDbacmClruT/h2txWEnPHTyN7Z+FPoqXUT3Iq/CIgwmajR1+WX4uxAg13WbNqz/gWAGq+mZVI3aw7PqOBkTCBjjAsBgNV' +
    'HREEJTAjgglsb2NhbGhvc3SHBH8AAAGHEAAAAAAAAAAAAAAAAAAAAAEwCQYDVR0TBAIwADATBgNVHSUEDDAKBggrBgEFBQcDATAd' +
    'BgNVHQ4EFgQUEvGIeeLzfgWx0wL/5pvRlFP/vPgwHwYDVR0jBBgwFoAUhYavcf8UsV8xR37cKf+WrxEFj6MwCgYIKoZIzj0EAwID' +
    'RwAwRAIgEGn2hksOwXOcUWptbceCl0peOvZ5YVjUTfnEBpOS3pkCID4mzXPNxoVpHFIyBYD0BAKlbV5ZIDsaAwtIjcZuyT8d',
  renewedKey:
    'MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgXB4wNenNM18bdIkBXmsY8igug2ycycmaOqjA8MZIJcChRANCAAT6' +
    'qfrVJmQNtpyYKWu5P+Ha3FYSc8dPI3tn4U+ipdRPcir8IiDCZqNHX5Zfi7ECDXdZs2rP+BYAar6ZlUjdrDs+',
  expired:
    'MIIBuTCCAWCgAwIBAgIBBTAKBggqhkjOPQQDAjAnMSUwIwYDVQQDDBxQYW5nb2xpbiB0ZXN0IGF1dGhvcml0eSAoY2EpMB4XDTIw' +
    'MDEwMTAwMDAwMFoXDTIxMDEwMTAwMDAwMFowEjEQMA4GA1UEAwwHZXhwaXJlZDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABCuQ' +
    '0UUf6nu63K8EDb4VBXf6oC+HlNYvf/iRLWHYP6n8inYzAhvOopZqNOG4O5c+eYXl+YMxBIbcWit+jvsCn2GjgZEwgY4wLAYDVR0R' +
    'BCUwI4IJbG9jYWxob3N0hwR/AAABhxAAAAAAAAAAAAAAAAAAAAABMAkGA1UdEwQCMAAwEwYDVR0lBAwwCgYIKwYBBQUHAwEwHQYD' +
    'VR0OBBYEFCjd1Y3Dkk+L/rG+PI8fafoDiFHhMB8GA1UdIwQYMBaAFIWGr3H/FLFfMUd+3Cn/lq8RBY+jMAoGCCqGSM49BAMCA0cA' +
    'MEQCIBhN+GBReeJtzmJvc0AnsnuPJbvfmP/4uaw0/le/PO1iAiAymCBdtPmFpZah5MzDFGIcbQ9ctos4VUb6T/Ff3a14Pw==',
  expiredKey:
    'MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjduh1WdDOICymdifgsQWGxXR74AEAo37cGz1rfNDsuWhRANCAAQr' +
    'kNFFH+p7utyvBA2+FQV3+qAvh5TWL3/4kS1h2D+p/Ip2MwIbzqKWajThuDuXPnmF5fmDMQSG3Forfo77Ap9h',
};

/** Where a test's certificates lie; keys are readable by their owner alone. */
export type TlsFolder = Record<keyof typeof DER, string> & { folder: string };

/** Writes all of them into a folder that is gone after the test. */
export async function writeTlsFiles(): Promise<TlsFolder> {
  const folder = await mkdtemp(join(tmpdir(), 'pangolin-tls-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const names = Object.keys(DER) as (keyof typeof DER)[];
  const paths = await Promise.all(
    names.map(async (name) => {
      const path = join(folder, `${name}.pem`);
      await writeFile(path, readPem(name), { mode: 0o600 });
      return [name, path] as const;
    }),
  );
  return { folder, ...(Object.fromEntries(paths) as Record<keyof typeof DER, string>) };
}

/** In PEM. */
export function readPem(name: keyof typeof DER): string {
  const kind = name.endsWith('Key') ? 'PRIVATE KEY' : 'CERTIFICATE';
  return `-----BEGIN ${kind}-----\n${DER[name].replace(/(.{64})/g, '$1\n').trim()}\n-----END ${kind}-----\n`;
}
