import { BlockList, isIP } from 'node:net';
import { readNetwork } from '@pangolin/shared/contract/networks';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

describe('a network', () => {
  test.each([
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['203.0.113.7', '203.0.113.7/32'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['::/0', '::/0'],
    ['2001:DB8:0:0:0:0:0:0/32', '2001:db8::/32'],
    ['2001:db8::1', '2001:db8::1/128'],
    ['2001:db8:0:0:1:0:0:0/80', '2001:db8:0:0:1::/80'],
    ['::1', '::1/128'],
    ['fe80::/10', 'fe80::/10'],
    ['1:0:2:0:3:0:4:0', '1:0:2:0:3:0:4:0/128'],
    ['::ffff:10.0.0.0/104', '10.0.0.0/8'],
    ['::ffff:192.0.2.1', '192.0.2.1/32'],
    ['64:ff9b::192.0.2.0/120', '64:ff9b::c000:200/120'],
  ])('%s is written %s', (text, network) => {
    expect(readNetwork(text)).toEqual({ network });
  });

  test.each([
    ['10.1.2.3/8', '10.0.0.0/8'],
    ['192.0.2.129/25', '192.0.2.128/25'],
    ['2001:db8::1/32', '2001:db8::/32'],
    ['::ffff:10.0.0.1/104', '10.0.0.0/8'],
  ])('%s has host bits set, and is told to be %s', (text, corrected) => {
    expect(readNetwork(text)).toEqual({ problem: expect.stringContaining(`the network is ${corrected}`) });
  });

  test.each([
    '',
    '/',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/08',
    '10.0.0.0/8/8',
    '10.0.0/8',
    '010.0.0.0/8',
    '256.0.0.0/8',
    '2001:db8::/129',
    '2001:db8::1::/64',
    '1:2:3:4:5:6:7:8::',
    '12345::/16',
    'fe80::1%eth0',
    '10.0.0.0/-1',
    '10.0.0.0 /8',
    'localhost',
    '::ffff:10.0.0/104',
  ])('%j is none', (text) => {
    expect(readNetwork(text)).toEqual({ problem: expect.stringContaining('10.0.0.0/8 or 2001:db8::/32') });
  });

  test('read again is the same, and holds what Node says the text holds', () => {
    const blocks = fc.oneof(
      fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 })),
      fc.tuple(fc.ipV6(), fc.integer({ min: 0, max: 128 })),
    );
    fc.assert(
      fc.property(blocks, fc.oneof(fc.ipV4(), fc.ipV6()), ([address, prefix], other) => {
        const read = readNetwork(`${address}/${prefix}`);
        const network = 'network' in read ? read.network : (/the network is (\S+)$/.exec(read.problem)?.[1] ?? '');
        expect(readNetwork(network)).toEqual({ network });
        const [known, ours] = [new BlockList(), new BlockList()];
        const familyOf = (text: string) => (isIP(text) === 4 ? 'ipv4' : 'ipv6');
        known.addSubnet(address, prefix, familyOf(address));
        const [base = '', bits] = network.split('/');
        ours.addSubnet(base, Number(bits), familyOf(base));
        for (const one of [address, other])
          expect(ours.check(one, familyOf(one)), `${one} in ${network}`).toBe(known.check(one, familyOf(one)));
      }),
      { numRuns: 2000 },
    );
  });
});
