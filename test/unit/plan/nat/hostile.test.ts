/** Whatever stands in a definition: it is refused, or it adds no line to what dnsmasq and nft are told. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { QlaunchError } from '../../../../src/errors.ts';
import { isDefined } from '../../../../src/plan/nat/defined.ts';
import { dnsmasqConf } from '../../../../src/plan/nat/dnsmasq.ts';
import { renderTable } from '../../../../src/plan/nat/nft.ts';
import { readNetwork } from '../../../../src/spec/nat/read.ts';

/** Each value once. */
const WHOLE = `<network xmlns:dnsmasq="x"><name>lab</name><mac address="52:54:00:00:00:01"/><bridge name="lab0"/>
  <forward dev="eth0"><nat><port start="2000" end="3000"/></nat></forward><domain name="lab.example"/>
  <dns><forwarder domain="corp.example" addr="10.1.1.1"/><host ip="10.9.0.5"><hostname>gw</hostname></host>
    <txt name="note" value="hello"/><srv service="ldap" protocol="tcp" target="www" domain="dom" port="389"/></dns>
  <ip address="10.9.0.1" prefix="24"><tftp root="/srv/tftp"/><dhcp>
    <range start="10.9.0.10" end="10.9.0.20"><lease expiry="9" unit="hours"/></range>
    <host mac="52:54:00:00:00:02" ip="10.9.0.30" name="web"/><bootp file="pxelinux.0" server="10.9.0.2"/></dhcp></ip>
  <ip family="ipv6" address="fd00::1"><dhcp><host id="0:3:0:1:52:54:0:0:0:1" name="six" ip="fd00::5"/></dhcp></ip>
  <dnsmasq:options><dnsmasq:option value="log-queries"/></dnsmasq:options></network>`;

/** Where they stand: from, to. */
const VALUES = [...WHOLE.matchAll(/(?<==")[^"]+|(?<=<(?:name|hostname)>)[^<]+/g)].map(
  ({ 0: value, index }): [number, number] => [index, index + value.length],
);

const PATH = '/run/x';
const paths = { conf: PATH, pid: PATH, leases: PATH, hosts: PATH } as const;

function told(text: string): { conf: string; table: string } {
  const { network } = readNetwork(text, 'x');
  if (!isDefined(network)) throw new Error('not whole');
  return { conf: dnsmasqConf(network, paths, true), table: renderTable(network, 'mark') };
}

const escaped = (text: string): string =>
  text.replaceAll(/[&<>"']|[\0-\x1f\x7f-\u{10ffff}]/gu, (one) => `&#${one.codePointAt(0)};`);

/** What means something to dnsmasq, nft or sh, among anything. */
const nasty = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '\n',
        '\r',
        ',',
        '"',
        "'",
        '#',
        ' ',
        '\t',
        '\\',
        '{',
        '}',
        ';',
        '/',
        '..',
        '*',
        '$(x)',
        '`x`',
      ),
      fc.constantFrom(
        '\u2028',
        '\u0085',
        '\u00a0',
        'a',
        'b1',
        '10.0.0.9',
        'conf-file=',
        'lab',
        '-',
        '%s',
        '@',
      ),
      fc.string({ unit: 'grapheme', maxLength: 4 }),
    ),
    { maxLength: 5 },
  )
  .map((parts) => parts.join(''));

const lines = (text: string): number => text.split(/[\n\r\u2028\u2029\u0085]/).length;

test('no value of a definition adds a line, or a word that nobody checked', () => {
  const [conf, table] = [lines(told(WHOLE).conf), lines(told(WHOLE).table)];
  fc.assert(
    fc.property(fc.constantFrom(...VALUES), nasty, ([from, to], text) => {
      let said: { conf: string; table: string };
      try {
        said = told(WHOLE.slice(0, from) + escaped(text) + WHOLE.slice(to));
      } catch (error) {
        expect(error).toBeInstanceOf(QlaunchError);
        return;
      }
      expect(lines(said.conf)).toBe(conf);
      expect(lines(said.table)).toBe(table);
      expect(said.table).toMatch(/^[ -~\n]*$/);
      expect(said.conf).not.toMatch(/[\0-\x09\x0b-\x1f\x7f]/);
      expect(said.conf).not.toMatch(/^(conf-file|dhcp-script|user)/m);
    }),
    { numRuns: 250 },
  );
});
