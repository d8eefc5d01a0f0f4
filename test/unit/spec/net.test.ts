import { describe, expect, test } from 'vitest';
import { parseNet } from '../../../src/spec/net.ts';
import type { RawDevice } from '../../../src/spec/raw.ts';

const context = { id: 'net0', home: '/home/u' };
const short = (text: string): RawDevice => ({ short: { text, at: '--net', dir: '/cwd' } });

/** The NIC, or every refusal on a line. */
function net(device: RawDevice | string): unknown {
  const result = parseNet(typeof device === 'string' ? short(device) : device, context);
  return Array.isArray(result)
    ? result.map(({ at, what, hint }) => `${at}: ${what}${hint ? ` (${hint})` : ''}`)
    : result;
}

const common = { id: 'net0', model: 'virtio', queues: 1, at: '--net' };

describe('every mode', () => {
  test.each([
    ['none', 'none'],
    ['user', { ...common, mode: 'user', restrict: false, forwards: [], dnsSearch: [], guestForwards: [] }],
    ['passt', { ...common, mode: 'passt', forwards: [] }],
    ['bridge', { ...common, mode: 'bridge', bridge: 'br0' }],
    [
      'bridge:vmbr0,helper=~/h,vhost=on',
      { ...common, mode: 'bridge', bridge: 'vmbr0', helper: '/home/u/h', vhost: true },
    ],
    ['tap', { ...common, mode: 'tap' }],
    ['tap:tap1,script=yes', { ...common, mode: 'tap', ifname: 'tap1', script: 'yes' }],
    ['tap:tap1,bridge=br0', { ...common, mode: 'tap', ifname: 'tap1', bridge: 'br0' }],
    ['nat', { ...common, mode: 'nat', network: 'default', forwards: [] }],
    ['nat:lab', { ...common, mode: 'nat', network: 'lab', forwards: [] }],
    ['vfio:0000:81:00.0,romfile=', { ...common, mode: 'vfio', selector: '0000:81:00.0', romFile: '' }],
    ['vfio:81:00.0,rom=~/x.rom', { ...common, mode: 'vfio', selector: '81:00.0', romFile: '/home/u/x.rom' }],
    [
      'vfio:enp1s0,rombar=off,boot=1',
      { ...common, mode: 'vfio', selector: 'enp1s0', romBar: false, boot: 1 },
    ],
    ['vf:enp1s0f0', { ...common, mode: 'vf', pf: 'enp1s0f0' }],
    [
      'vf:enp1s0f0/vf2,mac=52:54:00:00:00:09',
      { ...common, mode: 'vf', pf: 'enp1s0f0', vf: 2, mac: '52:54:00:00:00:09' },
    ],
  ])('%s', (text, expected) => expect(net(text)).toEqual(expected));

  test('user, with all its keys', () => {
    const text =
      'user,id=lan,mac=52-54-00-00-00-0A,model=e1000e,boot=2,net=10.1.0.0/16,host=10.1.0.1,dns=10.1.0.3,dhcpstart=10.1.0.20,' +
      'hostname=guest,dnssearch=a.example,dnssearch=b.example,tftp=pub,bootfile=/pxe,,0,smb=~/share,smbserver=10.1.0.4,restrict=yes,' +
      'ipv4=on,ipv6=on,ipv6-prefix=FD00:0::,ipv6-prefixlen=64,ipv6-host=fd00::2,ipv6-dns=fd00::3,' +
      'fwd=2222:22,fwd=udp:0.0.0.0:53:53,guestfwd=tcp:10.1.0.100:80-cmd:netcat x 1';
    expect(net(text)).toEqual({
      ...common,
      mode: 'user',
      id: 'lan',
      mac: '52:54:00:00:00:0a',
      model: 'e1000e',
      boot: 2,
      net: '10.1.0.0/16',
      host: '10.1.0.1',
      dns: '10.1.0.3',
      dhcpStart: '10.1.0.20',
      hostname: 'guest',
      dnsSearch: ['a.example', 'b.example'],
      tftp: '/cwd/pub',
      bootFile: '/pxe,0',
      smb: '/home/u/share',
      smbServer: '10.1.0.4',
      restrict: true,
      ipv4: true,
      ipv6: true,
      ipv6Prefix: 'fd00::',
      ipv6PrefixLen: 64,
      ipv6Host: 'fd00::2',
      ipv6Dns: 'fd00::3',
      forwards: [
        { proto: 'tcp', address: '127.0.0.1', hostPort: 2222, guestPort: 22 },
        { proto: 'udp', address: '0.0.0.0', hostPort: 53, guestPort: 53 },
      ],
      guestForwards: ['tcp:10.1.0.100:80-cmd:netcat x 1'],
    });
  });

  test('tap, with all its keys', () => {
    const text =
      'tap:t0,script=up,downscript=no,vhost=on,vhostforce=on,sndbuf=1M,vnet_hdr=on,vhostfd=5,mtu=9000';
    expect(net(text)).toEqual({
      ...common,
      mode: 'tap',
      ifname: 't0',
      script: '/cwd/up',
      downscript: 'no',
      vhost: true,
      vhostForce: true,
      sndbuf: 2 ** 20,
      vnetHdr: true,
      vhostFd: 5,
      mtu: 9000,
    });
    expect(net('tap,fd=3,queues=1')).toEqual([
      '--net: queues can not be used with fd: the tap is open already',
    ]);
    expect(net('tap,fd=3,vhost=on,vhostfd=4')).toMatchObject({ fd: 3, vhost: true, vhostFd: 4 });
    expect(net('tap:t0,queues=4')).toMatchObject({ queues: 4 });
  });

  test('a section says the same', () => {
    const prop = (key: string, text: string, line: number) => ({
      key,
      text,
      at: `[net0] ${key} in web.ini:${line}`,
      dir: '/profiles',
    });
    const section = (...props: ReturnType<typeof prop>[]): RawDevice => ({
      at: '[net0] in web.ini:1',
      dir: '/profiles',
      section: 'net0',
      props,
    });
    const expected = {
      ...common,
      at: '[net0] in web.ini:1',
      mode: 'bridge',
      bridge: 'br1',
      helper: '/profiles/h',
    };
    expect(net(section(prop('mode', 'bridge', 2), prop('bridge', 'br1', 3), prop('helper', 'h', 4)))).toEqual(
      expected,
    );
    expect(net(section(prop('mode', 'bridge:br1', 2), prop('helper', 'h', 3)))).toEqual(expected);
    expect(net(section(prop('mode', 'bridge:br1', 2), prop('bridge', 'br2', 3)))).toEqual([
      '[net0] bridge in web.ini:3: "bridge" is given twice',
    ]);
    expect(net(section(prop('bridge', 'br1', 2)))).toEqual([
      '[net0] in web.ini:1: the mode is missing (one of user, passt, bridge, tap, nat, vfio, vf, none)',
    ]);
  });
});

describe('refused: QEMU would crash, misread it silently, or say less (qemu.md 2.3, 3.1, 5, 9)', () => {
  test.each<[string, readonly string[]]>([
    ['', ['--net: the mode is missing (one of user, passt, bridge, tap, nat, vfio, vf, none)']],
    ['brige:br0', ['--net: "brige" is not a network mode (did you mean "bridge"?)']],
    ['user:x', ['--net: mode user takes no argument "x"']],
    ['none:x', ['--net: `none` takes neither an argument nor keys']],
    ['none,mac=52:54:00:00:00:01', ['--net: `none` takes neither an argument nor keys']],
    ['tap:t0,queues=0', ['--net queues: "0" must be a whole number from 1 to 256']],
    ['tap:t0,queues=257', ['--net queues: "257" must be a whole number from 1 to 256']],
    [
      'bridge,queues=2',
      [
        '--net: queues can not be used with the bridge helper, which opens one queue (tap:IFNAME,bridge=…,queues=2)',
      ],
    ],
    ['user,queues=2', ['--net: queues: mode user has one queue']],
    ['passt,queues=2', ['--net: queues: mode passt has one queue']],
    ['tap:t0,queues=2,model=e1000', ['--net: queues needs model virtio; a e1000 has one queue']],
    [
      'user,mtu=1400,model=rtl8139',
      ['--net: mtu needs model virtio; a rtl8139 has no way to tell the guest'],
    ],
    ['user,mtu=67', ['--net mtu: "67" must be a whole number from 68 to 65535']],
    ['user,mtu=70000', ['--net mtu: "70000" must be a whole number from 68 to 65535']],
    ['user,model=ne2k', ['--net model: "ne2k" must be virtio, e1000e, e1000, rtl8139, vmxnet3 or igb']],
    [
      'tap:t0,fd=3,bridge=b,script=no,downscript=no,vnet_hdr=on',
      ['ifname', 'bridge', 'script', 'downscript', 'vnet_hdr']
        .map((key) => `--net: ${key} can not be used with fd: the tap is open already`)
        .concat(
          '--net: bridge is ignored by QEMU when a script is given (leave one of them out; without script= qlaunch attaches the tap)',
        ),
    ],
    ['tap,fd=2', ['--net fd: "2" must be a whole number from 3 to 1048576']],
    ['tap,fd=abc', ['--net fd: "abc" must be a whole number from 3 to 1048576']],
    ['tap,fd=3,vhostfd=3', ['--net: fd and vhostfd are the same descriptor']],
    ['tap:t0,vhost=off,vhostfd=3', ['--net: vhostfd can not be used with vhost=off']],
    ['tap:t0,vhost=off,vhostforce=on', ['--net: vhostforce can not be used with vhost=off']],
    ['tap:t0,vhost=on,vhostfd=3,queues=2', ['--net: vhostfd serves one queue']],
    ['tap:t0,vhost=on,vnet_hdr=off', ['--net: vhost=on needs vnet_hdr']],
    [
      'tap:t0,script=/up,bridge=br0',
      [
        '--net: bridge is ignored by QEMU when a script is given (leave one of them out; without script= qlaunch attaches the tap)',
      ],
    ],
    [
      `tap:t0,script=yes,downscript=/${'d'.repeat(1023)}`,
      ['--net: the path of downscript is longer than the 1023 bytes that QEMU remembers'],
    ],
    ['tap,queues=0', ['--net queues: "0" must be a whole number from 1 to 256']],
    ['tap,script=no', ['--net: script=no needs the ifname of a tap that is there already']],
    [
      'tap:t0,downscript=/down',
      ['--net: downscript without script: the tap that qlaunch makes is taken back by qlaunch'],
    ],
    ['tap:t0,sndbuf=3G', ['--net sndbuf: "3G" must be below 2G']],
    ['tap:abcdefghijklmnop', ['--net: "abcdefghijklmnop" is 16 bytes long; the kernel allows 15']],
    [
      'tap:q*',
      [
        '--net: "q*" can not name an interface that qlaunch makes (letters, digits, "_", ".", "@" and "-", which is not the first)',
      ],
    ],
    ['tap:vm%d', ['--net: "vm%d" must not contain "%": the kernel would choose another name']],
    ['bridge:br0:1', ['--net: "br0:1" must not contain "/", ":" or white space']],
    [
      'user,mac=01:00:5e:00:00:01',
      ['--net mac: 01:00:5e:00:00:01 is a multicast address: its first byte is odd'],
    ],
    ['user,mac=00:00:00:00:00:00', ['--net mac: 00:00:00:00:00:00 means "no address"']],
    ['user,net=10.0.0.0/3', ['--net net: "10.0.0.0/3" must have a prefix from 4 to 32']],
    ['user,net=10.0.2.0', ['--net net: "10.0.2.0" is not an IPv4 network (write 10.0.2.0/24)']],
    ['user,host=10.0.3.1', ['--net: host 10.0.3.1 is not in 10.0.2.0/24']],
    ['user,net=10.1.0.0/24,dns=10.0.2.3', ['--net: dns 10.0.2.3 is not in 10.1.0.0/24']],
    ['user,host=10.0.2.9,dns=10.0.2.9', ['--net: host and dns must differ']],
    ['user,host=10.0.2.9,dhcpstart=10.0.2.9', ['--net: dhcpstart must differ from host and dns']],
    ['user,ipv4=off,ipv6=off', ['--net: ipv4=off and ipv6=off leave nothing']],
    [
      'user,ipv4=off,net=10.0.2.0/24,fwd=1:1',
      ['--net: net can not be used with ipv4=off', '--net: fwd can not be used with ipv4=off'],
    ],
    ['user,ipv6=off,ipv6-host=fec0::2', ['--net: ipv6-host can not be used with ipv6=off']],
    ['user,restrict', ['--net restrict: "restrict" needs a value (restrict=…)']],
    ['user,restrict=1', ['--net restrict: "1" must be on or off']],
    ['user,fwd=2222:22,fwd=0.0.0.0:2222:23', ['--net: fwd: tcp port 2222 of the host is forwarded twice']],
    ['passt,fwd=0:22', ['--net: fwd: passt can not choose a host port; give one']],
    ['passt,fwd=2222:10.0.0.1:22', ['--net: fwd: passt forwards to its one guest; leave the address out']],
    [
      'nat:../x',
      [
        '--net: "../x" can not name a network (up to 50 letters, digits, "-", "_" and "."; the first is a letter or a digit)',
      ],
    ],
    ['vfio', ['--net: the device is missing (vfio:0000:81:00.0, or vfio: and an interface name)']],
    ['vf', ['--net: the physical function is missing (vf:enp1s0f0, or vf:enp1s0f0/vf2)']],
    ['vfio:81:00.0,mac=52:54:00:00:00:01', ['--net: mac can not be chosen: the guest gets the real device']],
    [
      'vf:e0,queues=2,model=e1000',
      [
        '--net: model can not be chosen: the guest gets the real device',
        '--net: queues can not be chosen: the guest gets the real device',
      ],
    ],
    [
      'user,id=a,,b',
      ['--net id: id "a,b" must be letters, digits, "-", "." and "_", beginning with a letter'],
    ],
    ['user,mac=52:54:00:00:00:01,mac=52:54:00:00:00:02', ['--net mac: "mac" is given twice']],
    ['user,rom=/a,romfile=/b', ['--net: rom and romfile are the same key; give one']],
    [
      'user,hostfwd=tcp::2222-:22',
      [
        '--net hostfwd: a NIC of mode user has no key "hostfwd" (fwd=[tcp|udp:][ADDR:]HOST:GUEST, as in fwd=2222:22)',
      ],
    ],
    [
      'tap,br=br0',
      [
        '--net br: a NIC of mode tap has no key "br" (--net bridge:BR goes through the helper, --net tap:IFNAME,bridge=BR makes a tap)',
      ],
    ],
    [
      'user,vlan=0',
      [
        '--net vlan: a NIC of mode user has no key "vlan" (QEMU 3.0 took vlan= away; give each NIC its own --net)',
      ],
    ],
    ['tap,vlan=5', ['--net: vlan is about the port of a bridge (tap,bridge=BR makes one)']],
    [
      'tap,bridge=br0,trunk=1+5-9,antispoof=on',
      ['--net: antispoof looks at untagged frames; a trunk has tagged ones'],
    ],
    ['user,__proto__=x', ['--net __proto__: a NIC of mode user has no key "__proto__"']],
    ['user,', []],
    [
      'user,guestfwd=tcp:10.0.2.100:80-tcp:127.0.0.1:8080,guestfwd=::81-cmd:nc x 1,guestfwd=:10.0.2.9:82-unix:/s',
      [],
    ],
    ['user,guestfwd=:10.0.2.9:83-chardev:c,guestfwd=:10.0.2.9:84-null,guestfwd=:10.0.2.9:85-udp:h:80', []],
    ...(
      [
        ['nonsense', '"nonsense" is not a guest forward'],
        ['udp:10.0.2.9:80-null', '"udp:10.0.2.9:80-null" is not a guest forward'],
        ['tcp:10.0.2.9:80-', '"tcp:10.0.2.9:80-" is not a guest forward'],
        ['tcp:host:80-null', '"tcp:host:80-null": "host" is not an IPv4 address'],
        ['tcp:10.0.2.9:0-null', '"tcp:10.0.2.9:0-null": "0" must be a whole number from 1 to 65535'],
        ['tcp:10.0.2.9:80-nowhere', '"tcp:10.0.2.9:80-nowhere": "nowhere" is no place to forward to'],
        ['tcp:10.0.2.9:80-cmd:', '"tcp:10.0.2.9:80-cmd:": "cmd:" is no place to forward to'],
        [
          'tcp:10.0.2.9:80-tcp:[::1]:80',
          '"tcp:10.0.2.9:80-tcp:[::1]:80": "tcp:[::1]:80" is no place to forward to',
        ],
        ['tcp:10.0.2.9:80-tcp:host', '"tcp:10.0.2.9:80-tcp:host": "tcp:host" is no place to forward to'],
      ] as const
    ).map(([text, what]): [string, string[]] => [
      `user,guestfwd=${text}`,
      [
        `--net guestfwd: ${what} (write tcp:10.0.2.100:80-cmd:PROGRAM or tcp:10.0.2.100:80-tcp:127.0.0.1:8080)`,
      ],
    ]),
    ['user,guestfwd=:10.0.2.3:80-null', ['--net: guestfwd: 10.0.2.3 is taken by slirp itself']],
    [
      'user,host=10.0.2.50,guestfwd=:10.0.2.50:80-null',
      ['--net: guestfwd: 10.0.2.50 is taken by slirp itself'],
    ],
    ['user,guestfwd=:10.0.3.1:80-null', ['--net: guestfwd 10.0.3.1 is not in 10.0.2.0/24']],
  ])('%s', (text, expected) =>
    expect([net(text)].flat().filter((line) => typeof line === 'string')).toEqual(expected),
  );

  test('all of it at once', () => {
    expect(net('tap:a/b,mac=x,queues=0,bridge=abcdefghijklmnop,mod=virtio')).toHaveLength(5);
  });
});
