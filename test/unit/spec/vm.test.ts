import { describe, expect, test } from 'vitest';
import { renderError } from '../../../src/errors.ts';
import { showConfig } from '../../../src/spec/config-rows.ts';
import { readSources, type Sources } from '../../../src/spec/sources.ts';
import { vmNameFrom } from '../../../src/spec/vm/name.ts';
import { parseVmSpec } from '../../../src/spec/vm.ts';
import type { VmSpec } from '../../../src/spec/vm-spec.ts';

const sources = (more: Partial<Sources>): Sources => ({ options: {}, extra: [], cwd: '/cwd', ...more });
const ini = (text: string) => ({ path: '/profiles/web.ini', text });

function spec(more: Partial<Sources>): VmSpec {
  return parseVmSpec(readSources(sources(more)), { home: '/home/u' });
}

/** Every line of the refusal. */
function refusal(more: Partial<Sources>): string {
  try {
    spec(more);
  } catch (error) {
    if (error instanceof Error && 'todo' in error) return renderError(error as never);
    throw error;
  }
  throw new Error('was not refused');
}

/** What is wrong with these options on top of an image. */
const wrong = (options: Sources['options'], image = 'vm.qcow2'): string[] =>
  refusal({ image, options })
    .split('\n')
    .slice(1)
    .map((line) => line.replace('  because: ', ''));

test('an image alone is a whole VM', () => {
  expect(spec({ image: 'debian 12.qcow2' })).toEqual({
    name: 'debian-12',
    nameGiven: false,
    identity: '/cwd/debian 12.qcow2',
    machine: 'q35',
    accel: 'auto',
    smp: { cpus: 1 },
    memoryMiB: 1024,
    disks: [{ id: 'disk0', file: '/cwd/debian 12.qcow2', bus: 'virtio', readOnly: false }],
    cdroms: [],
    snapshot: false,
    boot: { menu: false },
    display: 'none',
    serial: { kind: 'socket' },
    rng: true,
    balloon: false,
    hostdevs: [],
    nets: [
      {
        id: 'net0',
        mode: 'user',
        model: 'virtio',
        queues: 1,
        at: 'built-in default',
        restrict: false,
        forwards: [],
        dnsSearch: [],
        guestForwards: [],
      },
    ],
    extra: [],
  });
});

test('a comma in the name of an image separates nothing', () => {
  expect(spec({ image: 'a,bus=ide.img' }).disks[0]).toMatchObject({
    file: '/cwd/a,bus=ide.img',
    bus: 'virtio',
  });
});

describe('command line over profile over user config over defaults', () => {
  const userConfig = {
    path: '/home/u/.config/qlaunch/config.ini',
    text: '[vm]\nmemory = 3G\ncpus = 3\nrng = off\n[net0]\nmode = passt',
  };
  const profile = ini(
    '[vm]\nmemory = 2G\ncpus = 2\ncdrom = a.iso\n[disk0]\nfile = disk.img\n[net0]\nmode = bridge:br1',
  );
  const raw = readSources(
    sources({ userConfig, profile, options: { memory: '1G', cdrom: ['b.iso', 'c.iso'] } }),
  );

  test('the highest source wins, lists as a whole', () => {
    expect(parseVmSpec(raw, { home: '/home/u' })).toMatchObject({
      name: 'web',
      identity: '/profiles/web.ini',
      memoryMiB: 1024,
      smp: { cpus: 2 },
      rng: false,
      cdroms: ['/cwd/b.iso', '/cwd/c.iso'],
      disks: [{ file: '/profiles/disk.img' }],
      nets: [{ mode: 'bridge', bridge: 'br1' }],
    });
  });

  test('config show says where each value came from', () => {
    const rows = showConfig(raw).map(({ key, value, from }) => `${key} = ${value}  (${from})`);
    expect(rows).toContain('memory = 1G  (--memory)');
    expect(rows).toContain('cpus = 2  ([vm] cpus in /profiles/web.ini:3)');
    expect(rows).toContain('rng = off  ([vm] rng in /home/u/.config/qlaunch/config.ini:4)');
    expect(rows).toContain('machine = q35  (built-in default)');
    expect(rows).toContain('cdrom = b.iso  (--cdrom (1st))');
    expect(rows).toContain('disk0.file = disk.img  ([disk0] file in /profiles/web.ini:6)');
    expect(rows).toContain('net0.mode = bridge:br1  ([net0] mode in /profiles/web.ini:8)');
  });
});

test('every mistake is reported, each with its place', () => {
  const profile = ini(
    '[vm]\nmemory = 2 gigs\nmemmory = 1G\n[net0]\nmode = tap\nifname = abcdefghijklmnop\nbrige = br0\nqueues = 0\n[disk0]\nfile =\nbus = sata',
  );
  expect(
    refusal({ profile, options: { cpus: '0', net: undefined, serial: 'sdtio' } }),
  ).toMatchInlineSnapshot(`
    "qlaunch: cannot read the description of VM "web" [QL_SPEC]
      because: [vm] memmory in web.ini:3: there is no key "memmory" (did you mean "memory"?)
      because: [disk0] file in web.ini:10: is empty; give the path of a file
      because: [disk0] bus in web.ini:11: "sata" must be virtio, scsi, nvme or ide
      because: --cpus: "0" must be a whole number from 1 to 4096
      because: [vm] memory in web.ini:2: "2 gigs" is not a size (write 512M or 2G)
      because: --serial: "sdtio" must be stdio, socket, file:PATH or none (stdio)
      because: [net0] ifname in web.ini:6: "abcdefghijklmnop" is 16 bytes long; the kernel allows 15
      because: [net0] brige in web.ini:7: a NIC of mode tap has no key "brige" (did you mean "bridge"?)
      because: [net0] queues in web.ini:8: "0" must be a whole number from 1 to 256"
  `);
});

describe('values', () => {
  test.each<[Sources['options'], object]>([
    [{ cpus: '4' }, { smp: { cpus: 4 } }],
    [{ cpus: 'sockets=2,cores=2,threads=1' }, { smp: { cpus: 4, sockets: 2, cores: 2, threads: 1 } }],
    [{ cpus: '4,cores=2' }, { smp: { cpus: 4, cores: 2 } }],
    [{ boot: 'cd' }, { boot: { order: 'cd', menu: false } }],
    [{ boot: 'order=cd,once=d,menu=on' }, { boot: { order: 'cd', once: 'd', menu: true } }],
    [{ vnc: '7' }, { vnc: { address: '127.0.0.1', display: 7 } }],
    [{ vnc: ':7' }, { vnc: { address: '127.0.0.1', display: 7 } }],
    [{ vnc: '0.0.0.0:0' }, { vnc: { address: '0.0.0.0', display: 0 } }],
    [
      { vnc: '[::1]:1,password-file=~/pw' },
      { vnc: { address: '::1', display: 1, passwordFile: '/home/u/pw' } },
    ],
    [{ serial: 'file:out.log' }, { serial: { kind: 'file', path: '/cwd/out.log' } }],
    [{ uefi: true }, { uefi: {} }],
    [{ uefi: '~/code.fd', uefiVars: 'vars.fd' }, { uefi: { code: '/home/u/code.fd', vars: '/cwd/vars.fd' } }],
    [{ uefiVars: 'vars.fd' }, { uefi: { vars: '/cwd/vars.fd' } }],
    [
      { rng: false, balloon: true, snapshot: true },
      { rng: false, balloon: true, snapshot: true },
    ],
    [
      { kernel: 'k', initrd: 'i', append: 'a,b "c"' },
      { kernel: { kernel: '/cwd/k', initrd: '/cwd/i', append: 'a,b "c"' } },
    ],
    [{ net: ['none'] }, { nets: [] }],
    [{ name: 'web.1' }, { name: 'web.1', nameGiven: true }],
    [{ machine: 'pc-q35-7.2' }, { machine: 'pc-q35-7.2' }],
  ])('%j', (options, expected) => expect(spec({ image: 'a.img', options })).toMatchObject(expected));

  test('a disk in the short form', () => {
    const disk = ['a,,b.img,bus=nvme,format=raw,cache=none,discard=unmap,ro=on,id=data'];
    expect(spec({ options: { disk } }).disks).toEqual([
      {
        id: 'data',
        file: '/cwd/a,b.img',
        bus: 'nvme',
        format: 'raw',
        cache: 'none',
        discard: 'unmap',
        readOnly: true,
      },
    ]);
  });

  test('ids are given to what has none, and never twice', () => {
    const net = ['user,id=net1', 'user', 'user'];
    expect(spec({ image: 'a.img', options: { net } }).nets.map(({ id }) => id)).toEqual([
      'net1',
      'net0',
      'net2',
    ]);
  });
});

describe('refused, with the reason', () => {
  test.each<[Sources['options'], string]>([
    [
      { name: 'a b' },
      '--name: "a b" must be letters, digits, "-", "." and "_", beginning with a letter or digit (write a-b)',
    ],
    [{ cpus: 'sockets=2,cores=2,threads=2,cpus=4' }, '--cpus: sockets × cores × threads is 8, not 4'],
    [{ cpus: '3,cores=2' }, '--cpus: 3 is not a multiple of 2 (sockets × cores × threads)'],
    [{ machine: 'microvm' }, '--machine: machine microvm boots nothing but a kernel (--kernel FILE)'],
    [{ machine: 'virt' }, '--machine: "virt" is not a machine type (q35, pc or microvm)'],
    [{ boot: 'a' }, '--boot: "a" must be of the letters c (disk), d (CD-ROM) and n (network) (cd)'],
    [{ boot: 'cc' }, '--boot: "cc" names a letter twice'],
    [
      { boot: 'once=d', uefi: true },
      '--boot: UEFI does not know once= (order=cd: an empty disk is passed over)',
    ],
    [{ vnc: 'localhost:1' }, '--vnc: "localhost" is not an IP address (write 127.0.0.1:1 or [::1]:1)'],
    [
      { vnc: '1,password=geheim' },
      '--vnc password: vnc has no key "password" (password-file=FILE: a password on the command line can be read by everybody)',
    ],
    [{ vnc: '60000' }, '--vnc: "60000" must be a whole number from 0 to 59635'],
    [{ append: 'x' }, '--append: append needs a kernel (--kernel FILE)'],
    [{ accel: 'hvf' }, '--accel: "hvf" must be auto, kvm or tcg'],
    [{ disk: ['/cwd/vm.qcow2'] }, '--disk: /cwd/vm.qcow2 is used twice and not read-only'],
    [{ disk: ['b.img,id=d', 'c.img,id=d'] }, '--disk (2nd): id "d" is used twice'],
    [{ disk: ['b.img,id=rng0'] }, '--disk: id "rng0" is used by qlaunch itself'],
    [{ disk: ['b.img,bus=ide,ro=on'] }, '--disk: an IDE disk can not be read-only (bus=scsi)'],
    [{ disk: ['b.img,cache'] }, '--disk cache: "cache" needs a value (cache=…)'],
    [
      { disk: ['1,bus=ide', '2,bus=ide', '3,bus=ide', '4,bus=ide', '5,bus=ide'], machine: 'pc' },
      '--machine: 5 IDE disks and CD-ROMs, but pc has room for 4',
    ],
    [
      { net: ['user,mac=52:54:00:00:00:01', 'user,mac=52:54:00:00:00:01'] },
      '--net (2nd): MAC address 52:54:00:00:00:01 is used twice in this VM',
    ],
    [{ net: ['user,boot=3', 'user,boot=3'] }, '--net (2nd): boot=3 is used twice'],
    [{ net: ['tap:t0', 'tap:t0'] }, '--net (2nd): interface t0 is used twice in this VM'],
    [{ net: ['tap,fd=3', 'tap,fd=4,vhostfd=3'] }, '--net (2nd): descriptor 3 is used twice'],
    [
      { net: ['user,fwd=2222:22', 'user,fwd=0.0.0.0:2222:22'] },
      '--net (2nd): fwd: tcp port 2222 of the host is forwarded twice',
    ],
    [{ net: ['none', 'user'] }, '--net (1st): `none` can not stand beside other networks'],
    [{ machine: 'microvm', kernel: 'k', vnc: '1' }, '--vnc: machine microvm has no screen (--serial stdio)'],
    [{ machine: 'microvm', kernel: 'k', uefi: true }, '--uefi: machine microvm does not boot by this UEFI'],
    [
      { machine: 'microvm', kernel: 'k', net: ['user,model=e1000'] },
      '--net: machine microvm has no PCI, so no e1000 (model=virtio)',
    ],
    [
      { machine: 'microvm', kernel: 'k', net: ['vfio:81:00.0'] },
      '--net: machine microvm has no PCI, so no passthrough',
    ],
    [
      { machine: 'microvm', kernel: 'k', disk: ['b.img,bus=nvme'] },
      '--disk: machine microvm has no nvme (bus=virtio or bus=scsi)',
    ],
  ])('%j', (options, expected) => expect(wrong(options)).toEqual([expected]));

  test('a combination is refused where it was written', () => {
    const profile = ini('[vm]\nboot = once=d\nuefi = on\n[disk0]\nfile = a.img\n[disk1]\nfile = a.img');
    expect(refusal({ profile }).split('\n').slice(1)).toEqual([
      '  because: [disk1] in web.ini:6: /profiles/a.img is used twice and not read-only',
      '  because: [vm] boot in web.ini:2: UEFI does not know once= (order=cd: an empty disk is passed over)',
    ]);
    expect(wrong({ kernel: 'k', net: ['user,boot=0'] })).toEqual([
      '--net: boot=0 is taken by the kernel (boot=1)',
    ]);
  });

  test.each(['-daemonize', '--daemonize', '-pidfile'])('%s behind --', (word) => {
    expect(refusal({ image: 'a.img', extra: [word] })).toContain(`${word} behind --:`);
    expect(spec({ image: 'a.img', extra: ['-name', 'pidfile'] }).extra).toEqual(['-name', 'pidfile']);
  });

  test.each<[string, string, string]>([
    ['tap:t0,script=yes', '-sandbox on,spawn=deny', 'forbids QEMU to start the network script'],
    ['tap:t0,script=/up', '--sandbox on,spawn=deny', 'forbids QEMU to start the network script'],
    ['bridge', '-sandbox on,obsolete=deny,spawn=deny', 'forbids QEMU to start the bridge helper'],
    ['tap:t0,script=/up,downscript=/down', '-chroot /srv', 'inside its chroot'],
    ['tap:t0,script=/up,downscript=/down', '-run-with async-teardown=on,chroot=/srv', 'inside its chroot'],
    ['tap:t0,script=/up', '-qmp stdio', 'inside the QMP stream'],
    ['user', '-sandbox on,elevateprivileges=deny -runas u', 'kills a QEMU that changes its user'],
    ['user', '-sandbox on,elevateprivileges=children -run-with user=u', 'kills a QEMU that changes its user'],
  ])('--net %s with %s behind --', (net, extra, why) => {
    expect(refusal({ image: 'a.img', options: { net: [net] }, extra: extra.split(' ') })).toContain(why);
  });

  test.each<[string, string]>([
    ['tap:t0,script=no', '-sandbox on,spawn=deny'],
    ['tap:t0,script=yes', '-sandbox on,spawn=allow'],
    ['tap:t0,script=/up,downscript=no', '-chroot /srv'],
    ['tap:t0,script=yes', '-qmp stdio'],
    ['user', '-sandbox on,elevateprivileges=deny'],
  ])('--net %s with %s behind -- is fine', (net, extra) => {
    const words = extra.split(' ');
    expect(spec({ image: 'a.img', options: { net: [net] }, extra: words }).extra).toEqual(words);
  });

  test('nothing to boot', () => {
    expect(refusal({})).toContain('VM: there is nothing to boot');
    expect(spec({ options: { boot: 'n' } }).disks).toEqual([]);
    expect(spec({ extra: ['-drive', 'file=x'] }).extra).toEqual(['-drive', 'file=x']);
  });
});

test.each([
  ['/vm/Debian 12 (x).qcow2', 'Debian-12-x'],
  ['web.ini', 'web'],
  ['a,b.img', 'a-b'],
  ['...', undefined],
  ['日本.img', undefined],
  [`${'a'.repeat(80)}.img`, 'a'.repeat(63)],
  ['/vm/lock.qcow2', 'lock-vm'],
])('the name a VM gets from %j', (path, expected) => expect(vmNameFrom(path)).toBe(expected));

describe('all mistakes at once', () => {
  test('also those of a NIC whose mode is wrong', () => {
    const text = '[vm]\ndisk = a\n[net0]\nmode = brige\nmac = x\nfwd = y\nqueue = 2\nbr = b';
    expect(
      refusal({ profile: ini(text) })
        .split('\n')
        .slice(1),
    ).toEqual([
      '  because: [net0] mode in web.ini:4: "brige" is not a network mode (did you mean "bridge"?)',
      '  because: [net0] mac in web.ini:5: "x" is not a MAC address (write six pairs: 52:54:00:12:ab:cd)',
      '  because: [net0] fwd in web.ini:6: "y" is not a forward (write [tcp|udp:][ADDR:]HOST:GUEST, as in 2222:22)',
      '  because: [net0] queue in web.ini:7: a NIC has no key "queue" (did you mean "queues"?)',
      expect.stringContaining('  because: [net0] br in web.ini:8: a NIC has no key "br" ('),
    ]);
  });

  test('also those in a file that another source overrides, each once', () => {
    const userConfig = {
      path: '/c/config.ini',
      text: '[vm]\nmemory = 2 gigs\ncpus = many\n[net0]\nmode = usr',
    };
    const profile = ini('[vm]\nmemory = 1G\ndisk = a,bus=floppy\ncpus = none\n[net0]\nmode = none');
    expect(
      refusal({ userConfig, profile, options: { disk: ['b'] } })
        .split('\n')
        .slice(1),
    ).toEqual([
      '  because: [vm] cpus in web.ini:4: "none" must be a whole number from 1 to 4096',
      '  because: [vm] cpus in /c/config.ini:3: "many" must be a whole number from 1 to 4096',
      '  because: [vm] memory in /c/config.ini:2: "2 gigs" is not a size (write 512M or 2G)',
      '  because: [net0] mode in /c/config.ini:5: "usr" is not a network mode (did you mean "user"?)',
      '  because: [vm] disk in web.ini:3 bus: "floppy" must be virtio, scsi, nvme or ide',
    ]);
  });

  test('what only makes sense together may be in two files', () => {
    const userConfig = { path: '/c/config.ini', text: '[vm]\nappend = quiet\nmemory = 2G' };
    expect(spec({ userConfig, profile: ini('[vm]\nkernel = k\nmemory = 1G') })).toMatchObject({
      memoryMiB: 1024,
      kernel: { kernel: '/profiles/k', append: 'quiet' },
    });
  });
});

test('an id that the default NIC has is the mistake of the one who wrote it', () => {
  expect(wrong({ disk: ['x,id=net0'] })).toEqual([
    '--disk: id "net0" is used twice (also by the default NIC)',
  ]);
  expect(wrong({ disk: ['x,id=n'], net: ['user,id=n'] })).toEqual([
    '--net: id "n" is used twice (also by --disk)',
  ]);
});

test('a name that can not be taken is in no heading, and says which could', () => {
  expect(refusal({ image: '/i/web.qcow2', options: { name: 'a b' } }).split('\n')).toEqual([
    'qlaunch: cannot read the description of VM "web" [QL_SPEC]',
    '  because: --name: "a b" must be letters, digits, "-", "." and "_", beginning with a letter or digit (write a-b)',
  ]);
});

test('QEMU’s spellings of a read-only disk', () => {
  for (const key of ['ro', 'readonly', 'read-only'])
    expect(spec({ options: { disk: [`a,${key}=on`] } }).disks).toMatchObject([{ readOnly: true }]);
});

test('--helper and [vm] helper serve every bridge NIC that has none of its own', () => {
  const net = ['bridge:br0', 'bridge:br1,helper=/own', 'user'];
  const helpers = (more: Partial<Sources>): unknown =>
    spec({ image: 'vm.qcow2', ...more }).nets.map((nic) => ('helper' in nic ? nic.helper : undefined));
  expect(helpers({ options: { net, helper: 'sbin/helper' } })).toEqual([
    '/cwd/sbin/helper',
    '/own',
    undefined,
  ]);
  expect(helpers({ options: { net }, userConfig: ini('[vm]\nhelper = ../h') })).toEqual([
    '/h',
    '/own',
    undefined,
  ]);
});
