import { describe, expect, test } from 'vitest';
import { QlaunchError, renderError } from '../../../../src/errors.ts';
import { explain, MESSAGES, ownWords, qemuFailed } from '../../../../src/run/qemu/messages.ts';

const Q = 'qemu-system-x86_64: ';

/** Texts as QEMU 7.2 to 11.1 and the bridge helper write them, with a piece of the cause that each must get. */
const KNOWN: readonly (readonly [text: string, cause: string])[] = [
  // The bridge helper.
  ["failed to parse default acl file `/etc/qemu/bridge.conf'", 'is missing, not readable'],
  [
    "failed to parse default acl file `/usr/local/libexec/../etc/qemu/bridge.conf'",
    'is missing, not readable',
  ],
  ['access denied by acl file', 'does not allow bridge'],
  ["Unknown command `Allow'", 'begins with "Allow"'],
  ['Invalid config line:', 'has no argument'],
  ["name `averyveryverylongname' too long: 21", 'at most 15 bytes'],
  ['failed to create tun device: Operation not permitted', 'not setuid root'],
  ['failed to drop privileges', 'CAP_SETPCAP'],
  ['failed to open /dev/net/tun: No such file or directory', 'no usable tun device'],
  ["failed to get mtu of bridge `br0': No such device", 'no bridge "br0"'],
  ["failed to set mtu of device `tap0' to 65536: Invalid argument", 'MTU of br0, 65536'],
  ["failed to add interface `tap0' to bridge `v0': Operation not supported", 'v0 is not a bridge'],
  ['failed to write fd to unix socket: Bad file descriptor', 'could not finish: Bad file descriptor'],
  [`${Q}-netdev bridge,id=n,br=br7: bridge helper failed`, 'bridge helper gave up'],
  [`${Q}-netdev bridge,id=n: Can't fork bridge helper: Operation not permitted`, '-sandbox spawn=deny'],
  [`${Q}-netdev tap,id=n: failed to recv file descriptor: Success`, 'without handing over a tap'],
  [
    `${Q}-netdev tap,id=n: Unable to query TUNGETIFF on FD 0: Inappropriate ioctl for device`,
    'without handing over',
  ],
  // Taps and network scripts.
  [
    `${Q}-netdev tap,id=n,ifname=t0: network script /etc/qemu-ifup failed with status 256`,
    'ended with status 1',
  ],
  [`${Q}network script /etc/qemu-ifdown failed with status 768`, 'status 768 is as wait(2) writes it'],
  [`${Q}-netdev tap: could not launch network script /etc/qemu-ifup: Operation not permitted`, 'spawn=deny'],
  ['/etc/qemu-ifup: could not launch network script', 'could not start the network script'],
  [`${Q}could not configure /dev/net/tun (tap7): Operation not permitted`, 'needs CAP_NET_ADMIN'],
  [`${Q}could not configure /dev/net/tun: Operation not permitted`, 'needs CAP_NET_ADMIN'],
  [`${Q}could not configure /dev/net/tun (tap7): Device or resource busy`, 'holds the tap tap7'],
  [`${Q}could not configure /dev/net/tun (tap7): Invalid argument`, 'tap7 is no tap'],
  [`${Q}could not configure /dev/net/tun (tap7): Argument list too long`, 'at most 256 queues'],
  [`${Q}could not open /dev/net/tun: No such file or directory`, 'no usable tun device'],
  [`${Q}Could not open '/dev/net/tun': Permission denied`, 'its usual mode is 0666'],
  [`${Q}vnet_hdr=1 requested, but no kernel support for IFF_VNET_HDR available`, 'too old'],
  [`${Q}multiqueue required, but no kernel support for IFF_MULTI_QUEUE available`, 'too old'],
  [`${Q}TUNSETSNDBUF ioctl failed: Invalid argument`, 'refused that sndbuf'],
  [`${Q}warning: tap: open vhost char device failed: Permission denied`, '/dev/vhost-net'],
  [`${Q}tap: open vhost char device failed: No such file or directory`, '/dev/vhost-net'],
  [`${Q}Could not open '/dev/vhost-net': Permission denied`, '/dev/vhost-net'],
  [`${Q}vhost-net requested but could not be initialized`, 'refused this tap'],
  ["qemu-system-x86_64: ../net/net.c:1106: net_client_init1: Assertion `nc' failed.", 'queues=0'],
  [
    `${Q}ifname=, script=, downscript=, vnet_hdr=, helper=, queues=, fds=, and vhostfds= are invalid with fd=`,
    'exclude each other',
  ],
  [`${Q}queues=, helper=, fds= and fd= are mutual exclusive`, 'exclude each other'],
  [`${Q}vhostfds= is invalid if fds= wasn't specified`, 'exclude each other'],
  [`${Q}vhostfd(s)= is not valid without vhost`, 'exclude each other'],
  [`${Q}Multiqueue tap cannot be used with hubs`, 'one queue'],
  [`${Q}n0: Can't use file descriptor 99: Bad file descriptor`, 'is not open'],
  [`${Q}Can't set file descriptor 99 non-blocking: Bad file descriptor`, 'is not open'],
  [`${Q}Invalid file descriptor number 'abc'`, 'is not open'],
  // User-mode networking and passt.
  [`${Q}Could not set up host forwarding rule 'tcp::2222-:22'`, 'port 2222 cannot be had'],
  [`${Q}Could not set up host forwarding rule ':127.0.0.1:80-:80'`, 'port 80 cannot be had'],
  [`${Q}Invalid host forwarding rule 'tcp:foo:2222-:22' (Bad host address)`, '(Bad host address)'],
  [`${Q}Invalid netmask provided (must be in range 4-32)`, 'do not fit together'],
  [`${Q}Host doesn't belong to network`, 'do not fit together'],
  [`${Q}IPv4 and IPv6 disabled`, 'do not fit together'],
  [`${Q}Could not find '/usr/sbin/smbd', please install it`, '/usr/sbin/smbd is not installed'],
  [`${Q}-netdev passt,id=n: network backend 'passt' is not compiled into this binary`, 'no network backend'],
  [`${Q}-netdev nope,id=n: Parameter 'type' does not accept value 'nope'`, 'no network backend'],
  [`${Q}Passt exited with code 1`, 'could not start passt'],
  // KVM, CPU, memory, machine.
  ['Could not access KVM kernel module: Permission denied', 'may not open /dev/kvm'],
  [`${Q}failed to initialize kvm: Permission denied`, 'may not open /dev/kvm'],
  ['Could not access KVM kernel module: No such file or directory', 'there is no /dev/kvm'],
  [`${Q}-accel kvm: failed to initialize kvm: Device or resource busy`, 'KVM does not work here'],
  ['KVM internal error. Suberror: 1', 'gave up while the guest ran'],
  [`${Q}The -accel and "-machine accel=" options are incompatible`, 'old spelling'],
  [`${Q}cannot set up guest memory 'pc.ram': Cannot allocate memory`, 'does not have the memory'],
  [`${Q}unable to find CPU model 'nope'`, 'no CPU model "nope"'],
  [`${Q}CPU model 'host' requires KVM or HVF`, 'only KVM can give'],
  [`${Q}Invalid SMP CPUs 300. The max CPUs supported by machine 'pc-q35-7.2' is 288`, 'room for 288 CPUs'],
  [`${Q}unsupported machine type`, 'no such machine'],
  [`${Q}unsupported machine type: "nope"`, 'no such machine'],
  // vfio.
  [
    `${Q}vfio /sys/bus/pci/devices/0000:01:00.0: no such host device: No such file or directory`,
    'no PCI device',
  ],
  [`${Q}vfio 0000:01:00.0: no iommu_group found: No such file or directory`, 'the IOMMU is off'],
  [`${Q}vfio 0000:01:00.0: group 12 is not viable`, 'another device of the same IOMMU group'],
  [`${Q}vfio 0000:01:00.0: failed to open /dev/vfio/vfio: Permission denied`, 'for everybody'],
  [`${Q}vfio 0000:01:00.0: assignment of PCIe type 0x4 devices is not currently supported`, 'a bridge'],
  [
    `${Q}vfio 0000:01:00.0: hardware reports invalid configuration, MSIX PBA outside of specified BAR`,
    'nonsense',
  ],
  [`${Q}vfio 0000:01:00.0: failed to open /dev/vfio/12: No such file or directory`, 'bound to vfio-pci'],
  [`${Q}vfio 0000:01:00.0: Could not open '/dev/vfio/12': No such file or directory`, 'bound to vfio-pci'],
  [`${Q}vfio 0000:01:00.0: Could not open '/dev/vfio/12': Permission denied`, 'may not open /dev/vfio/12'],
  [`${Q}vfio 0000:01:00.0: failed to open /dev/vfio/12: Device or resource busy`, 'another VM has a device'],
  [`${Q}vfio 0000:01:00.0: error getting device from group 12: No such device`, 'not bound to vfio-pci'],
  [`${Q}failed to setup container for group 12: No available IOMMU models`, 'vfio_iommu_type1'],
  [
    `${Q}failed to setup container for group 12: Failed to set iommu for container: Operation not permitted`,
    'remap interrupts',
  ],
  [`${Q}VFIO_MAP_DMA failed: Cannot allocate memory`, 'locked-memory limit'],
  [
    `${Q}Region pc.ram: vfio_container_dma_map(0x1, 0x0, 0x1, 0x2) = -12 (Cannot allocate memory)`,
    'locked-memory limit',
  ],
  [`${Q}vfio: Unable to power on device, stuck in D3`, 'power saving state'],
  [`${Q}device is already attached`, 'were given to this VM'],
  [`${Q}group 12 used in multiple address spaces`, 'were given to this VM'],
  [`${Q}/dev/iommu does not exist (is your kernel config missing CONFIG_IOMMUFD?)`, 'iommufd needs'],
  [`${Q}Parameter 'qom-type' does not accept value 'iommufd'`, 'iommufd needs'],
  [
    `${Q}vfio: Cannot reset device 0000:01:00.0, depends on group 13 which is not owned.`,
    'cannot be reset alone',
  ],
  [`${Q}vfio: Cannot reset device 0000:01:00.0, no available reset mechanism.`, 'cannot be reset alone'],
  // Disks and other files.
  [`${Q}-blockdev x: Failed to get "write" lock`, 'uses this image'],
  ['Is another process using the image [a.qcow2]?', 'uses this image'],
  [`${Q}Image is not in qcow2 format`, 'another format than qcow2'],
  [`${Q}Could not open '/nope.img': No such file or directory`, '/nope.img does not exist'],
  [`${Q}Could not open 'a.img': Permission denied`, 'may not open a.img'],
  [`${Q}Could not open '/etc': Is a directory`, '/etc is a directory'],
  [
    `${Q}Could not open backing file: Could not open 'base': No such file or directory`,
    'builds on another file',
  ],
  ['qemu-img: a.raw: Could not resize file: No space left on device', 'file system that holds'],
  ["qemu: could not load PC BIOS '/nope'", 'cannot be read'],
  ["qemu: could not open kernel file '/nope': No such file or directory", 'cannot be read'],
  [`${Q}failed to find romfile "/nope"`, 'option ROM /nope'],
  // QEMU itself.
  [`${Q}cannot create PID file: Cannot lock pid file: Resource temporarily unavailable`, 'still running'],
  [
    `${Q}cannot create PID file: Could not create '/nope/x': No such file or directory`,
    "Could not create '/nope/x'",
  ],
  [`${Q}-qmp unix:/x: UNIX socket path '/x' is too long`, 'at most 107 bytes'],
  [
    `${Q}-qmp unix:/nope/x: Failed to bind socket to /nope/x: No such file or directory`,
    '/nope/x cannot be made',
  ],
  [`${Q}-vnc 127.0.0.1:1: Failed to find an available port: Address already in use`, 'VNC display'],
  [`${Q}Display 'gtk' is not available.`, '-display gtk comes in a package'],
  [
    `${Q}Display 'gtk' is not available. Perhaps you want to install qemu-system-gui package?`,
    'package of its own',
  ],
  ['gtk initialization failed', 'no screen'],
  [`${Q}-nographic cannot be used with -daemonize`, 'has no terminal'],
  [`${Q}-serial stdio: cannot use stdio by multiple character devices`, 'two things want the terminal'],
  [`${Q}Duplicate ID 'n0' for netdev`, 'are called "n0"'],
  [`${Q}Parameter 'id' expects an identifier`, 'begin with a letter'],
  [`${Q}-device igb: 'igb' is not a valid device model name`, 'no device igb'],
  [`${Q}Property 'virtio-net-device.netdev' can't find value 'zz'`, 'no -netdev with the id "zz"'],
  [`${Q}Property 'virtio-net-device.netdev' can't take value 'n0', it's in use`, 'one NIC only'],
  [`${Q}Property 'virtio-net-device.mac' doesn't take value 'zz'`, '"zz" is not a MAC'],
  [
    `${Q}PCI: slot 5 function 0 not available for virtio-rng-pci, in use by virtio-net-pci,id=d0`,
    'same place',
  ],
  [`${Q}Bus 'pcie.0' does not support hotplugging`, 'pcie-root-port'],
  [`${Q}-netdev user,id=n,vlan=0: Invalid parameter 'vlan'`, 'does not know that option'],
  [`${Q}-nope: invalid option`, 'does not know that option'],
  [`${Q}User "x" doesn't exist (and is not <uid>:<gid>)`, 'no user x'],
  [`${Q}Unable to read /nope: Failed to open file “/nope”: No such file or directory`, 'secret’s file'],
];

describe('every known message', () => {
  test.each(KNOWN)('%s', (text, cause) => {
    const [found] = explain(text);
    expect(found).toMatchObject({ words: text, cause: expect.stringContaining(cause) });
    expect(found?.cure.length).toBeGreaterThan(0);
    // Every name in the texts was filled in.
    expect([found?.cause, ...(found?.cure ?? [])].join('\n')).not.toMatch(/\$<|\?(?=\s|$)|undefined/);
  });

  test('each row of the table is reached by one of the texts', () => {
    const reached = new Set(KNOWN.map(([text]) => MESSAGES.find(({ pattern }) => pattern.test(text))));
    expect(MESSAGES.filter((row) => !reached.has(row)).map(({ pattern }) => String(pattern))).toEqual([]);
  });
});

test('a time stamp and the guest’s name in front change nothing', () => {
  const line = `${Q}failed to initialize kvm: Permission denied`;
  expect(explain(`2026-11-21T00:48:18.676778Z ${line}\n`)[0]?.words).toBe(line);
  expect(explain(`2026-11-21T00:48:18.676778Z vmA ${line}\n`)[0]?.words).toBe(line);
});

test('names from QEMU’s own line make the cure ready to paste', () => {
  const stderr = `access denied by acl file\n${Q}-netdev bridge,id=n,br=lan: bridge helper failed\n`;
  expect(explain(stderr)[0]?.cure).toContain('sudo qlaunch acl allow lan');
});

test('a path from QEMU’s own line is quoted for a shell; a cure without its path is left out', () => {
  const said = (file: string): string =>
    `${Q}-drive if=none,id=disk0,file=${file},format=raw: Failed to get "write" lock\nIs another process using the image?\n`;
  expect(explain(said("/srv/it's a,,b.img"))[0]?.cure).toContain("fuser -v '/srv/it'\\''s a,b.img'");
  const bare = explain('Failed to get "write" lock\nIs another process using the image [/srv/a b]?\n');
  expect(bare[0]?.cure).toContain("fuser -v '/srv/a b'");
  const unknown = explain(`${Q}Failed to get shared "write" lock`)[0]?.cure ?? [];
  expect(unknown.length).toBeGreaterThan(0);
  expect(unknown.join()).not.toContain('fuser');
});

test('what is to be typed has no word in it that only stands for another', () => {
  const cures = MESSAGES.flatMap(({ cure }) => cure);
  expect(cures.filter((cure) => /\b(IMAGE|HELPER|FILE)\b|\S {3,}[^#\s]/.test(cure))).toEqual([]);
});

test('unknown words are left alone, noise about display modules is not shown', () => {
  const stderr = `qemu: module ui-ui-gtk not found, do you want to install qemu-system-gui package?\n${Q}something new\n`;
  expect(explain(stderr)).toEqual([]);
  expect(ownWords(stderr)).toEqual([`${Q}something new`]);
});

test('the error begins with QEMU’s words, cause and cure stand under them', () => {
  const stderr = `${Q}-netdev user,id=n,hostfwd=tcp:127.0.0.1:2222-:22: Could not set up host forwarding rule 'tcp:127.0.0.1:2222-:22'\n`;
  const text = renderError(qemuFailed(stderr, { status: 1, signal: null }));
  expect(text.split('\n')).toEqual([
    'qlaunch: QEMU did not start [QL_QEMU_FAILED]',
    `  because: ${stderr.trim()}`,
    expect.stringContaining('  because: port 2222 cannot be had'),
    expect.stringContaining("  try:     ss -Hlnp 'sport = :2222'"),
    expect.stringContaining('  try:     take another port'),
  ]);
});

test('a death without words is told by its signal', () => {
  expect(qemuFailed('', { status: null, signal: 'SIGSYS' }).why).toEqual([
    'SIGSYS ended it, without a word',
    expect.stringContaining('-sandbox forbids'),
  ]);
});

test('what a hook of ours said is told as ours: its reasons, its cures, and no guess about its status', () => {
  const hook = new QlaunchError('QL_NO_BRIDGE', 3, {
    what: 'no bridge to plug tap1 into',
    why: ['first', 'second\nand more'],
    todo: ['do this'],
  });
  const end =
    'qemu-system-x86_64: -netdev tap,id=n,ifname=tap1: network script /x/qemu-ifup failed with status 768';
  const error = qemuFailed(`${renderError(hook)}\n${end}\n`, { status: 1, signal: null });
  expect(error.why).toEqual(['no bridge to plug tap1 into [QL_NO_BRIDGE]', 'first', 'second\nand more', end]);
  expect(error.todo).toEqual(['do this']);
});

test('a foreign script is tried on a tap of the name that failed, which is gone with QEMU', () => {
  const line =
    'qemu-system-x86_64: -netdev tap,id=n,ifname=tap1: network script /x/up failed with status 768';
  expect(qemuFailed(line, { status: 1, signal: null }).todo).toEqual([
    'sudo ip tuntap add dev tap1 mode tap; sudo /x/up tap1; sudo ip tuntap del dev tap1 mode tap   # shows what it says',
  ]);
});
