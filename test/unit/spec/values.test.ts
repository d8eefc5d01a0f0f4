import { isIPv4, isIPv6 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { contains, formatCidr, lastAddress, nthAddress, overlap, parseCidr } from '../../../src/spec/cidr.ts';
import { didYouMean } from '../../../src/spec/did-you-mean.ts';
import { parseForward } from '../../../src/spec/forward.ts';
import { parseId } from '../../../src/spec/id.ts';
import { parseIfName, parseNewIfName } from '../../../src/spec/ifname.ts';
import { formatIp, readIp } from '../../../src/spec/ip.ts';
import { parseMac } from '../../../src/spec/mac.ts';
import { parsePath } from '../../../src/spec/path.ts';
import { parsePciAddress, pciDomain, readPciAddress } from '../../../src/spec/pci-address.ts';
import { isProblem } from '../../../src/spec/raw.ts';
import { parseBytes, parseMemoryMiB } from '../../../src/spec/size.ts';

const AT = 'here';
/** The value, or what is wrong with it. */
const said = (result: unknown): unknown => (isProblem(result) ? `! ${result.what}` : result);

describe('memory', () => {
  test.each([
    ['1024', 1024],
    ['512M', 512],
    ['2G', 2048],
    ['2GiB', 2048],
    ['1.5g', 1536],
    ['1048576k', 1024],
    ['2 gigs', '! "2 gigs" is not a size'],
    ['', '! "" is not a size'],
    ['-1', '! "-1" is not a size'],
    ['1e3', '! "1e3" is not a size'],
    ['0', '! "0" is too little; a machine needs at least 1M'],
    ['1500K', '! "1500K" is not a whole number of MiB'],
    ['99999999999999999999', '! "99999999999999999999" is not a size'],
  ])('%j', (text, expected) => expect(said(parseMemoryMiB(text, AT))).toBe(expected));

  test('elsewhere a bare number is bytes', () => expect(parseBytes('8192', AT)).toBe(8192));
});

describe('an interface name', () => {
  test.each([
    ['br0', 'br0'],
    ['abcdefghijklmno', 'abcdefghijklmno'],
    ['abcdefghijklmnop', '! "abcdefghijklmnop" is 16 bytes long; the kernel allows 15'],
    ['ééééééé0', 'ééééééé0'],
    ['éééééééé', '! "éééééééé" is 16 bytes long; the kernel allows 15'],
    ['a/b', '! "a/b" must not contain "/", ":" or white space'],
    ['eth0:1', '! "eth0:1" must not contain "/", ":" or white space'],
    ['a b', '! "a b" must not contain "/", ":" or white space'],
    ['a\n', '! "a\n" must not contain "/", ":" or white space'],
    ['.', '! "." can not be an interface name'],
    ['..', '! ".." can not be an interface name'],
    ['vm%d', '! "vm%d" must not contain "%": the kernel would choose another name'],
    ['', '! an interface name is missing'],
  ])('%j', (text, expected) => expect(said(parseIfName(text, AT))).toBe(expected));

  test.each(['q*', '*', 'a"b', "a'b", '-a', 'a;b', 'a$b', 'é'])('that we make is not %j', (text) =>
    expect(said(parseNewIfName(text, AT))).toBe(`! "${text}" can not name an interface that qlaunch makes`),
  );
  test.each(['all', 'default'])('that we make is not %j, which the kernel has for all of them', (text) =>
    expect(said(parseNewIfName(text, AT))).toContain('means every interface to the kernel'),
  );
  test.each(['qt-web0', 'eth0.10', 'a@b', '_a'])('that we make may be %j', (text) =>
    expect(parseNewIfName(text, AT)).toBe(text),
  );
});

describe('a MAC address', () => {
  test.each([
    ['52:54:00:AB:cd:0f', '52:54:00:ab:cd:0f'],
    ['52-54-00-12-34-56', '52:54:00:12:34:56'],
    ['52:54-00:12:34:56', '! "52:54-00:12:34:56" is not a MAC address'],
    ['52:54:00:12:34', '! "52:54:00:12:34" is not a MAC address'],
    ['525400123456', '! "525400123456" is not a MAC address'],
    ['01:00:5e:00:00:01', '! 01:00:5e:00:00:01 is a multicast address: its first byte is odd'],
    ['ff:ff:ff:ff:ff:ff', '! ff:ff:ff:ff:ff:ff is a multicast address: its first byte is odd'],
    ['00:00:00:00:00:00', '! 00:00:00:00:00:00 means "no address"'],
  ])('%j', (text, expected) => expect(said(parseMac(text, AT))).toBe(expected));
});

describe('a PCI address', () => {
  test.each([
    ['81:00.0', '0000:81:00.0'],
    ['0000:AF:1F.7', '0000:af:1f.7'],
    ['0:81:0.0', '0000:81:00.0'],
    ['00000000:81:00.0', '0000:81:00.0'],
    ['10000:e1:00.0', '10000:e1:00.0'],
    ['pci:0000:81:00.0', '0000:81:00.0'],
    ['pci/0000:81:00.0', '0000:81:00.0'],
    ['pci_0000_81_00_0', '0000:81:00.0'],
    ['/sys/bus/pci/devices/0000:81:00.0', '0000:81:00.0'],
  ])('%j', (text, expected) => expect(parsePciAddress(text, AT)).toBe(expected));

  test.each([
    '81:00',
    '81:20.0',
    '81:1f.8',
    '81:00.*',
    '8086:1572',
    '123456789:81:00.0',
    '',
    'eth0',
    '81:00.0 ',
    '/tmp/81:00.0',
  ])('%j is none', (text) => expect(readPciAddress(text)).toBeUndefined());

  test('the domain decides how QEMU is told', () => {
    expect(pciDomain(readPciAddress('10000:e1:00.0') ?? ('' as never))).toBe(0x10000);
  });
});

describe('a forward', () => {
  const of = (more: object): object => ({
    proto: 'tcp',
    address: '127.0.0.1',
    hostPort: 2222,
    guestPort: 22,
    ...more,
  });
  test.each([
    ['2222:22', of({})],
    ['tcp:2222:22', of({})],
    ['udp:5353:53', of({ proto: 'udp', hostPort: 5353, guestPort: 53 })],
    ['0.0.0.0:2222:22', of({ address: '0.0.0.0' })],
    [
      'udp:192.168.1.5:2222:10.0.2.15:22',
      of({ proto: 'udp', address: '192.168.1.5', guestAddress: '10.0.2.15' }),
    ],
    ['0:22', of({ hostPort: 0 })],
    ['22', '! "22" is not a forward'],
    ['2222-22', '! "2222-22" is not a forward'],
    ['sctp:1:2', '! "sctp:1:2": "sctp" is not an IPv4 address'],
    ['localhost:1:2', '! "localhost:1:2": "localhost" is not an IPv4 address'],
    ['[::1]:1:2', '! "[::1]:1:2" is not a forward'],
    ['70000:22', '! "70000:22": "70000" must be a whole number from 0 to 65535'],
    ['2222:0', '! "2222:0": "0" must be a whole number from 1 to 65535'],
  ])('%j', (text, expected) => expect(said(parseForward(text, AT))).toEqual(expected));
});

describe('an id', () => {
  test.each([
    ['net0', 'net0'],
    ['a.b-c_d', 'a.b-c_d'],
    ['0net', /letters/],
    ['a,b', /letters/],
    ['', /letters/],
    ['a'.repeat(21), /longer than 20/],
  ])('%j', (text, expected) => {
    const result = String(said(parseId(text, AT)));
    if (typeof expected === 'string') expect(result).toBe(expected);
    else expect(result).toMatch(expected);
  });
});

describe('a path', () => {
  const path = (text: string): unknown => said(parsePath({ text, at: AT, dir: '/profiles' }, '/home/u'));
  test.each([
    ['a.img', '/profiles/a.img'],
    ['./x/../a.img', '/profiles/a.img'],
    ['/a;b#c', '/a;b#c'],
    ['~/vm/a,b.img', '/home/u/vm/a,b.img'],
    ['~', '/home/u'],
    ['~user/a', '/profiles/~user/a'],
    ['a\nb', '/profiles/a\nb'],
    ['', '! is empty; give the path of a file'],
    ['a\0b', '! a path can not contain a NUL byte'],
  ])('%j', (text, expected) => expect(path(text)).toBe(expected));
});

describe('IP addresses', () => {
  test('what is an address is what the system says is one', () => {
    const v4ish = fc.array(fc.oneof(fc.nat(300).map(String), fc.constantFrom('', '01', 'x')), {
      minLength: 3,
      maxLength: 5,
    });
    fc.assert(
      fc.property(v4ish, (parts) => (readIp(parts.join('.'))?.family === 4) === isIPv4(parts.join('.'))),
    );
    const group = fc.oneof(
      { weight: 5, arbitrary: fc.nat(0xffff).map((n) => n.toString(16)) },
      fc.constantFrom('', '', '12345', 'g', '1.2.3.4'),
    );
    const v6ish = fc.array(group, { minLength: 2, maxLength: 10 }).map((groups) => groups.join(':'));
    fc.assert(
      fc.property(v6ish, (text) => (readIp(text)?.family === 6) === isIPv6(text)),
      { numRuns: 3000 },
    );
  });

  test.each([
    '1.2.3.4::',
    '::1.2.3.4:1',
    ':::',
    '1::2::3',
    '::1%eth0',
    '[::1]',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7',
    ':1',
    '1:',
  ])('%j is none', (text) => expect(readIp(text)).toBeUndefined());

  test('IPv6 is written as RFC 5952 says: as WHATWG URL writes it', () => {
    const group = fc.oneof(fc.constant(0), fc.nat(0xffff));
    fc.assert(
      fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
        const text = groups.map((n) => n.toString(16)).join(':');
        const ip = readIp(text);
        expect(`[${ip && formatIp(ip)}]`).toBe(new URL(`http://[${text}]/`).hostname);
      }),
    );
  });

  test('networks', () => {
    const cidr = (text: string) => {
      const result = parseCidr(text, AT);
      if (isProblem(result)) throw new Error(result.what);
      return result;
    };
    const net = cidr('192.168.50.77/24');
    expect(formatCidr(net)).toBe('192.168.50.0/24');
    expect(formatIp(lastAddress(net))).toBe('192.168.50.255');
    const first = nthAddress(net, 1n);
    expect(first && formatIp(first)).toBe('192.168.50.1');
    expect(nthAddress(net, 256n)).toBeUndefined();
    expect(contains(net, readIp('192.168.50.255') ?? net.first)).toBe(true);
    expect(contains(net, readIp('192.168.51.0') ?? net.first)).toBe(false);
    expect(contains(net, readIp('::1') ?? net.first)).toBe(false);
    expect(overlap(net, cidr('192.168.0.0/16'))).toBe(true);
    expect(overlap(cidr('10.0.0.0/8'), net)).toBe(false);
    expect(formatCidr(cidr('fd00:1::ff/64'))).toBe('fd00:1::/64');
    for (const text of [
      '10.0.0.0',
      '10.0.0.0/33',
      '10.0.0/8',
      '10.0.0.0/',
      '/8',
      'fd00::/129',
      '10.0.0.0/-1',
    ])
      expect(said(parseCidr(text, AT))).toBe(`! "${text}" is not a network`);
  });
});

test('did you mean', () => {
  expect(didYouMean('brige', ['bridge', 'tap'])).toBe('bridge');
  expect(didYouMean('mme', ['memory', 'mtu'])).toBeUndefined();
  expect(didYouMean('NIC', ['nic'])).toBe('nic');
  expect(didYouMean('tpa', ['tap', 'nat'])).toBe('tap');
  expect(didYouMean('xyz', ['bridge'])).toBeUndefined();
});
