/** From a checked VM to QEMU's arguments. Total: it decides nothing that depends on the machine. */
import { machineFamily } from '../../spec/vm/machine.ts';
import type { VmSpec } from '../../spec/vm-spec.ts';
import { shellWord } from '../shell.ts';
import { bootArguments } from './boot.ts';
import { atLeast } from './caps.ts';
import { monitorArguments, serialArguments } from './chardevs.ts';
import type { QemuContext } from './context.ts';
import { diskArguments } from './disks.ts';
import { displayArguments } from './display.ts';
import { hostdevArguments, netArguments } from './net.ts';
import { opt } from './opt.ts';

export interface QemuCommand {
  readonly binary: string;
  /** What qlaunch says; the user's own arguments are the last element. */
  readonly options: readonly (readonly string[])[];
  /** All of it, without the binary. */
  readonly argv: readonly string[];
}

export function qemuCommand(spec: VmSpec, context: QemuContext): QemuCommand {
  const bare = { microvm: machineFamily(spec.machine) === 'microvm' };
  const options: (readonly string[])[] = [
    ['-nodefaults'],
    ['-no-user-config'],
    [
      '-name',
      opt('', { guest: spec.name, 'debug-threads': atLeast(context.caps, 11, 0) ? undefined : true }),
    ],
    ['-machine', spec.machine],
    ['-accel', context.accel],
    ['-cpu', spec.cpu ?? defaultCpu(context)],
    ['-m', `${spec.memoryMiB}M`],
    ['-smp', smpText(spec)],
    ...bootArguments(spec, context),
    ...diskArguments(spec, context),
    ...netArguments(spec, context),
    ...hostdevArguments(spec, context),
    ...displayArguments(spec, context.paths),
    ...(spec.rng ? randomness(bare.microvm) : []),
    ...(spec.balloon
      ? [['-device', opt(bare.microvm ? 'virtio-balloon-device' : 'virtio-balloon-pci', { id: 'balloon0' })]]
      : []),
    ...serialArguments(spec.serial, context.paths),
    ...monitorArguments(context.paths),
    ['-pidfile', context.paths.pidFile],
    ...(spec.snapshot ? [['-snapshot']] : []),
    ...(spec.extra.length > 0 ? [spec.extra] : []),
  ];
  return { binary: context.binary, options, argv: options.flat() };
}

/**
 * QEMU's own default, qemu64, is too old for some distributions (RHEL 9 wants x86-64-v2). With TCG `max` costs about
 * a tenth of the demo guest's boot time (8.4, 10.1 and 13.5 s against 7.4, 9.0 and 11.8).
 */
function defaultCpu({ accel }: QemuContext): string {
  return accel === 'kvm' ? 'host' : 'max';
}

function smpText({ smp }: VmSpec): string {
  const { cpus, sockets, cores, threads } = smp;
  return opt(String(cpus), { sockets, cores, threads });
}

function randomness(microvm: boolean): string[][] {
  return [
    ['-object', opt('rng-random', { id: 'rng0', filename: '/dev/urandom' })],
    ['-device', opt(microvm ? 'virtio-rng-device' : 'virtio-rng-pci', { rng: 'rng0' })],
  ];
}

/** For people: one option per line, quoted for a POSIX shell, ready to be pasted. No newline at the end. */
export function renderCommand({ binary, options }: QemuCommand): string {
  const first = binary.includes('=') ? `'${binary.replaceAll("'", `'\\''`)}'` : shellWord(binary);
  return [first, ...options.map((words) => `  ${words.map(shellWord).join(' ')}`)].join(' \\\n');
}
