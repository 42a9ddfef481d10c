import { describe, expect, test } from 'vitest';
import { findClientAddress } from '../../../packages/server/src/http/client-address.ts';
import { createNetworks, limitedPart, normalizeAddress } from '../../../packages/server/src/networks.ts';

describe('networks', () => {
  test('hold what their prefix covers, of their own family', () => {
    const networks = createNetworks(['10.0.0.0/8', '192.0.2.7', '2001:db8::/32']);
    for (const inside of ['10.255.0.1', '192.0.2.7', '2001:db8:ffff::1']) expect(networks.includes(inside)).toBe(true);
    for (const outside of ['11.0.0.1', '192.0.2.8', '2001:db9::1', 'nonsense', '']) {
      expect(networks.includes(outside)).toBe(false);
    }
  });

  test('of IPv4 addresses in their IPv6 form hold the IPv4 addresses; what is no network holds nothing', () => {
    expect(createNetworks(['::ffff:10.0.0.0/104']).includes('10.1.2.3')).toBe(true);
    expect(createNetworks(['10.0.0.0/33', 'localhost', 'fe80::1%eth0', '']).includes('10.1.2.3')).toBe(false);
  });

  test('IPv4 inside IPv6 is IPv4, and zones are left out', () => {
    expect(normalizeAddress('::ffff:192.0.2.1')).toBe('192.0.2.1');
    expect(normalizeAddress('fe80::1%eth0')).toBe('fe80::1');
    expect(normalizeAddress('2001:db8::1')).toBe('2001:db8::1');
  });

  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2::1', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002:aaaa:bbbb:cccc:dddd', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['1:2:3:4:5:6:7::', '1:2:3:4::/64'],
  ])('limits count %s as %s', (address, part) => {
    expect(limitedPart(address)).toBe(part);
  });
});

describe('the client behind proxies', () => {
  const trusted = createNetworks(['10.0.0.0/8', '2001:db8::/32']);
  const find = (peer: string, forwardedFor?: string) => findClientAddress(peer, forwardedFor, trusted);

  test('is the peer where the peer is no trusted proxy, whatever it says', () => {
    expect(find('192.0.2.1', '203.0.113.9')).toBe('192.0.2.1');
    expect(find('10.0.0.1')).toBe('10.0.0.1');
  });

  test('is the first from the right that is no trusted proxy', () => {
    expect(find('10.0.0.1', '203.0.113.9')).toBe('203.0.113.9');
    expect(find('10.0.0.1', '198.51.100.1, 203.0.113.9 ,10.2.2.2')).toBe('203.0.113.9');
    expect(find('10.0.0.1', '10.0.0.3, 10.0.0.2')).toBe('10.0.0.3');
    expect(find('2001:db8::1', '2001:dead::5')).toBe('2001:dead::5');
    expect(find('10.0.0.1', '::ffff:203.0.113.9')).toBe('203.0.113.9');
    expect(find('10.0.0.1', '203.0.113.9:4711')).toBe('203.0.113.9');
    expect(find('10.0.0.1', '[2001:dead::5]:4711')).toBe('2001:dead::5');
  });

  test.each([
    'unknown',
    '203.0.113.9,',
    ',',
    '',
    '203.0.113.9 10.0.0.2',
    '203.0.113.999',
    '"203.0.113.9"',
    'evil, 10.0.0.2',
  ])('is the peer where the header is no list of addresses: %j', (header) => {
    expect(find('10.0.0.1', header)).toBe('10.0.0.1');
  });
});
