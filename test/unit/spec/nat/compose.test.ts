import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nthAddress, parseCidr } from '../../../../src/spec/cidr.ts';
import { parseMac } from '../../../../src/spec/mac.ts';
import { type Composition, composeNetwork } from '../../../../src/spec/nat/compose.ts';
import { readNetwork } from '../../../../src/spec/nat/read.ts';
import { editDefinition, type HostEdit, type NameEdit } from '../../../../src/spec/nat/static-hosts.ts';
import { isProblem } from '../../../../src/spec/raw.ts';

const subnet = (text: string) => {
  const cidr = parseCidr(text, 'test');
  if (isProblem(cidr)) throw new Error(text);
  return cidr;
};

test('every subnet, gateway and mode makes a definition that is read without a word', () => {
  const wishes = fc.record({
    prefix: fc.integer({ min: 8, max: 29 }),
    third: fc.integer({ min: 0, max: 255 }),
    host: fc.bigInt({ min: 1n, max: 6n }),
    mode: fc.constantFrom('nat', 'route', 'open', 'isolated' as const),
    dhcp: fc.boolean(),
  });
  fc.assert(
    fc.property(wishes, ({ prefix, third, host, mode, dhcp }) => {
      const cidr = subnet(`10.7.${third}.0/${prefix}`);
      const address = nthAddress(cidr, host) ?? cidr.first;
      const wish: Composition = { name: 'x', mode, subnet: cidr, address, ...(dhcp ? {} : { range: null }) };
      const { network, warnings } = readNetwork(composeNetwork(wish), 'x');
      expect(warnings).toEqual([]);
      expect(network.forward.mode).toBe(mode === 'isolated' ? 'none' : mode);
      expect(network.ips[0]).toMatchObject({ address, subnet: cidr });
      expect(network.ips[0]?.dhcp?.ranges).toEqual(dhcp ? [expect.anything()] : undefined);
    }),
    { examples: [[{ prefix: 29, third: 0, host: 6n, mode: 'nat', dhcp: true }]] },
  );
});

test('what a flag says stays text', () => {
  const hostile = composeNetwork({ name: 'a"/><b>', mode: 'nat', subnet: subnet('10.0.0.0/24') });
  expect(hostile).toContain('<name>a&quot;/&gt;&lt;b&gt;</name>');
});

const TEXT = `<network>
  <name>lab</name>
  <ip address="10.0.0.1" prefix="24">
    <!-- mine -->
    <dhcp>
      <range start="10.0.0.2" end="10.0.0.9"/>
      <host mac="52-54-00-00-00-01" ip="10.0.0.50" x="kept"/>
    </dhcp>
  </ip>
</network>
`;

const mac = (text: string) => {
  const value = parseMac(text, 'test');
  if (isProblem(value)) throw new Error(text);
  return value;
};

test('a host is put in, changed and taken out; the rest stays as it was written', () => {
  const [one, two] = [mac('52:54:00:00:00:01'), mac('52:54:00:00:00:02')];
  const edited = (...hosts: readonly HostEdit[]): string =>
    String(editDefinition(readNetwork(TEXT, 'x').document, { hosts }));
  expect(edited({ mac: two, put: { ip: '10.0.0.51', name: 'web' } })).toBe(
    TEXT.replace(
      'x="kept"/>\n',
      'x="kept"/>\n      <host mac="52:54:00:00:00:02" ip="10.0.0.51" name="web"/>\n',
    ),
  );
  expect(edited({ mac: one, put: { ip: '10.0.0.52' } })).toBe(
    TEXT.replace('52-54-00-00-00-01', '52:54:00:00:00:01').replace('10.0.0.50', '10.0.0.52'),
  );
  expect(edited({ mac: one })).toBe(TEXT.replace(/ {6}<host.*\n/, ''));
  expect(editDefinition(readNetwork(TEXT, 'x').document, { hosts: [{ mac: two }] })).toMatchObject({
    what: 'no host has the MAC 52:54:00:00:00:02',
  });
});

test('names of an address are put in, replaced and taken out', () => {
  const edited = (text: string, ...names: readonly NameEdit[]) =>
    editDefinition(readNetwork(text, 'x').document, { names });
  const one = String(edited(TEXT, { ip: '10.0.0.9', names: ['a', 'b'] }));
  expect(one).toContain(
    '  <dns><host ip="10.0.0.9"><hostname>a</hostname><hostname>b</hostname></host></dns>\n',
  );
  const two = String(edited(one, { ip: '10.0.0.9', names: ['c'] }));
  expect(two).toContain('  <dns><host ip="10.0.0.9"><hostname>c</hostname></host></dns>\n');
  expect(edited(two, { ip: '10.0.0.9', names: [] })).toBe(TEXT.replace('</ip>\n', '</ip>\n  <dns/>\n'));
  expect(edited(TEXT, { ip: '10.0.0.9', names: [] })).toMatchObject({ what: '10.0.0.9 has no name there' });
});
