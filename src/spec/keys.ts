/**
 * Every value a VM's description may have: the one table behind validation, the command line, INI files,
 * `config show` and the README. In an INI file a key stands in [vm] under the same name; a NIC may also be a section
 * [net0], [net1], … and a disk a section [disk0], [disk1], … with the keys of its short form.
 */

export interface Key {
  /** The long option without `--`, and the name in [vm]. */
  readonly name: string;
  /** As commander takes them. */
  readonly flags: readonly string[];
  /** What the value is. `switch`: no value on the command line, on or off in an INI file. */
  readonly kind: 'text' | 'switch' | 'size' | 'count' | 'path' | 'optional-path' | 'choice' | 'device';
  readonly choices?: readonly string[];
  /** May be given several times; a list from a higher source replaces the whole list of a lower one. */
  readonly repeatable: boolean;
  /** Built-in default, as text. */
  readonly default?: string;
  /** One line, no period. */
  readonly doc: string;
  readonly example: string;
}

export type KeyName =
  | 'name'
  | 'memory'
  | 'cpus'
  | 'machine'
  | 'cpu'
  | 'accel'
  | 'disk'
  | 'cdrom'
  | 'boot'
  | 'kernel'
  | 'initrd'
  | 'append'
  | 'net'
  | 'hostdev'
  | 'display'
  | 'vnc'
  | 'serial'
  | 'uefi'
  | 'uefi-vars'
  | 'snapshot'
  | 'rng'
  | 'balloon'
  | 'qemu'
  | 'helper';

export const KEYS: readonly (Key & { readonly name: KeyName })[] = [
  {
    name: 'name',
    flags: ['-n, --name <name>'],
    kind: 'text',
    repeatable: false,
    doc: "the VM's name; otherwise that of its image or profile",
    example: 'web',
  },
  {
    name: 'memory',
    flags: ['-m, --memory <size>'],
    kind: 'size',
    repeatable: false,
    default: '1024',
    doc: 'RAM; a bare number is MiB',
    example: '2G',
  },
  {
    name: 'cpus',
    flags: ['-c, --cpus <n>'],
    kind: 'count',
    repeatable: false,
    default: '1',
    doc: 'processors: N, or sockets=N,cores=N,threads=N',
    example: '4',
  },
  {
    name: 'machine',
    flags: ['--machine <type>'],
    kind: 'text',
    repeatable: false,
    default: 'q35',
    doc: 'q35, pc, microvm (with --kernel), or a versioned name such as pc-q35-7.2',
    example: 'q35',
  },
  {
    name: 'cpu',
    flags: ['--cpu <model>'],
    kind: 'text',
    repeatable: false,
    doc: "QEMU's -cpu; otherwise the best this host gives",
    example: 'host',
  },
  {
    name: 'accel',
    flags: ['--accel <accel>'],
    kind: 'choice',
    choices: ['auto', 'kvm', 'tcg'],
    repeatable: false,
    default: 'auto',
    doc: 'auto takes KVM only where a KVM guest really starts',
    example: 'kvm',
  },
  {
    name: 'disk',
    flags: ['--disk <file>'],
    kind: 'device',
    repeatable: true,
    doc: 'FILE[,bus=virtio|scsi|nvme|ide][,format=F][,cache=C] [,discard=unmap] [,readonly=on][,backing=FILE][,id=ID]',
    example: 'data.qcow2,bus=scsi,cache=none',
  },
  {
    name: 'cdrom',
    flags: ['--cdrom <file>'],
    kind: 'path',
    repeatable: true,
    doc: 'an ISO image in a CD-ROM drive',
    example: 'debian.iso',
  },
  {
    name: 'boot',
    flags: ['--boot <order>'],
    kind: 'text',
    repeatable: false,
    doc: 'letters c (disk), d (CD-ROM), n (network); or order=cd,once=d,menu=on',
    example: 'order=cd',
  },
  {
    name: 'kernel',
    flags: ['--kernel <file>'],
    kind: 'path',
    repeatable: false,
    doc: 'boot this Linux kernel directly',
    example: 'vmlinuz',
  },
  {
    name: 'initrd',
    flags: ['--initrd <file>'],
    kind: 'path',
    repeatable: false,
    doc: 'initial RAM disk for --kernel',
    example: 'initrd.img',
  },
  {
    name: 'append',
    flags: ['--append <text>'],
    kind: 'text',
    repeatable: false,
    doc: 'command line for --kernel',
    example: 'console=ttyS0',
  },
  {
    name: 'net',
    flags: ['--net <mode>'],
    kind: 'device',
    repeatable: true,
    default: 'user',
    doc: 'a NIC: MODE[:ARG][,key=value…]; user, passt, bridge[:BR], tap[:IFNAME], nat[:NETWORK], vfio:DEVICE, vf:PF, none',
    example: 'user,fwd=2222:22',
  },
  {
    name: 'hostdev',
    flags: ['--hostdev <device>'],
    kind: 'text',
    repeatable: true,
    doc: 'a PCI device of the host: SELECTOR[,group=on][,rom=off][,rombar=off]',
    example: '0000:0b:00.0',
  },
  {
    name: 'display',
    flags: ['--display <type>'],
    kind: 'choice',
    choices: ['none', 'gtk', 'sdl'],
    repeatable: false,
    default: 'none',
    doc: 'a window for the screen',
    example: 'gtk',
  },
  {
    name: 'vnc',
    flags: ['--vnc <display>'],
    kind: 'text',
    repeatable: false,
    doc: '[ADDR:]N[,password-file=FILE]: the screen on TCP port 5900+N, of 127.0.0.1 unless ADDR is given',
    example: '1',
  },
  {
    name: 'serial',
    flags: ['--serial <where>'],
    kind: 'text',
    repeatable: false,
    default: 'socket',
    doc: 'serial line: stdio, socket (see `qlaunch console`), file:PATH or none',
    example: 'stdio',
  },
  {
    name: 'uefi',
    flags: ['--uefi [code]'],
    kind: 'optional-path',
    repeatable: false,
    doc: 'boot by UEFI; CODE: another firmware than the one of this distribution',
    example: 'on',
  },
  {
    name: 'uefi-vars',
    flags: ['--uefi-vars <file>'],
    kind: 'path',
    repeatable: false,
    doc: "this VM's UEFI variables; otherwise its own copy is kept",
    example: 'web-vars.fd',
  },
  {
    name: 'snapshot',
    flags: ['--snapshot'],
    kind: 'switch',
    repeatable: false,
    default: 'off',
    doc: 'forget all writes to the disks at the end',
    example: 'on',
  },
  {
    name: 'rng',
    flags: ['--rng', '--no-rng'],
    kind: 'switch',
    repeatable: false,
    default: 'on',
    doc: 'a source of randomness for the guest',
    example: 'off',
  },
  {
    name: 'balloon',
    flags: ['--balloon', '--no-balloon'],
    kind: 'switch',
    repeatable: false,
    default: 'off',
    doc: 'a memory balloon',
    example: 'on',
  },
  {
    name: 'qemu',
    flags: ['--qemu <binary>'],
    kind: 'text',
    repeatable: false,
    doc: 'the QEMU to run, by name or path',
    example: 'qemu-system-x86_64',
  },
  {
    name: 'helper',
    flags: ['--helper <file>'],
    kind: 'path',
    repeatable: false,
    doc: "QEMU's bridge helper, for every --net bridge without a helper= of its own",
    example: '/usr/libexec/qemu-bridge-helper',
  },
];

export function findKey(name: string): (Key & { readonly name: KeyName }) | undefined {
  return KEYS.find((key) => key.name === name);
}

/** The property commander keeps the value under: `uefi-vars` → `uefiVars`. */
export function optionProperty(name: KeyName): string {
  return name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}
