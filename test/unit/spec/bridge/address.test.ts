import { expect, test } from 'vitest';
import { parseHostAddress } from '../../../../src/spec/bridge/address.ts';

test.each([
  ['192.0.2.10/24', '192.0.2.10/24'],
  ['10.0.0.0/31', '10.0.0.0/31'],
  ['192.0.2.1/32', '192.0.2.1/32'],
  ['FD00:0::10/64', 'fd00::10/64'],
])('%s is an address of a host', (text, canonical) => {
  expect(parseHostAddress(text, '--address')).toBe(canonical);
});

test.each([
  ['192.0.2.10', 'is not an address with its prefix'],
  ['host/24', 'is not an address with its prefix'],
  ['192.0.2.10/33', 'has an impossible prefix'],
  ['192.0.2.0/24', 'is the network itself of 192.0.2.0/24'],
  ['192.0.2.255/24', 'is the broadcast address of 192.0.2.0/24'],
  ['fd00::/64', 'is the network itself of fd00::/64'],
])('%s is none', (text, why) => {
  expect(parseHostAddress(text, '--address')).toMatchObject({ what: expect.stringContaining(why) as string });
});
