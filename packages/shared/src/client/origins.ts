import { PangolinError } from '../errors.ts';

/** Whether a host name means this machine: localhost, 127.0.0.0/8 or ::1. */
export const isLoopback = (hostname: string): boolean =>
  hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname);

/**
 * Reads a server's address as a person gives it and answers its origin, `https://host:port`.
 * `label` names where it was given. Throws `invalid_argument`; the message never repeats a password in the address.
 */
export function readOrigin(address: string, label: string): string {
  const refuse = (problem: string) =>
    new PangolinError('invalid_argument', `${label} ${problem}`, {
      hint: 'Give the address of the server alone, such as https://pangolin.example.com or http://localhost:8080',
    });
  if (!/^https?:\/\//i.test(address)) throw refuse('must start with https:// or http://');
  if (!URL.canParse(address)) throw refuse('is not an address');
  const url = new URL(address);
  if (url.username !== '' || url.password !== '') {
    throw refuse('must not hold a username or password');
  }
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    throw refuse(`must not go on after ${url.origin}`);
  }
  return url.origin;
}
