import { once } from 'node:events';
import { createServer } from 'node:http';
import { type Browser, chromium } from 'playwright-core';

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--host-resolver-rules=MAP evil.test 127.0.0.1',
  // Newer browsers ask before a page reaches this machine; older ones do not, and the server must not rely on it.
  '--disable-features=LocalNetworkAccessChecks',
];

/** A real browser, and a server with an empty page of somebody hostile, also found as `evil.test`. */
export interface HostileBrowser {
  browser: Browser;
  /** Where the hostile page is, on 127.0.0.1. */
  port: number;
  close(): Promise<void>;
}

export async function openHostileBrowser(): Promise<HostileBrowser> {
  const attacker = createServer((_, response) => {
    response.setHeader('content-type', 'text/html').end('<!doctype html><title>hostile</title><body>');
  }).listen(0, '127.0.0.1');
  await once(attacker, 'listening');
  const address = attacker.address();
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: FLAGS });
  return {
    browser,
    port: typeof address === 'object' && address ? address.port : 0,
    async close() {
      await browser.close();
      attacker.close();
    },
  };
}
