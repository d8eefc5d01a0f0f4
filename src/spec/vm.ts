/** From what was written to a checked VmSpec, or one error with every mistake in it. */
import { EXIT, QlaunchError } from '../errors.ts';
import { parseDisk } from './disk.ts';
import { findKey, type KeyName } from './keys.ts';
import { parseNet } from './net.ts';
import type { NetSpec } from './net-spec.ts';
import { parseChoice } from './number.ts';
import { parsePath } from './path.ts';
import { BUILT_IN, Gathering, type Problem, type RawDevice, type RawVm } from './raw.ts';
import { parseMemoryMiB } from './size.ts';
import { parseHostdev } from './vfio/hostdev.ts';
import { parseBoot } from './vm/boot.ts';
import { deviceIds } from './vm/device-ids.ts';
import { parseMachine } from './vm/machine.ts';
import { parseVmName, vmNameFrom } from './vm/name.ts';
import { checkVm, type Places } from './vm/rules.ts';
import { parseSerial } from './vm/serial.ts';
import { parseSmp } from './vm/smp.ts';
import { Values } from './vm/values.ts';
import { parseVnc } from './vm/vnc.ts';
import type { DiskSpec, KernelSpec, UefiSpec, VmSpec, VncSpec } from './vm-spec.ts';

export interface VmContext {
  /** The user's home directory, for `~/`. */
  readonly home: string;
  /** What the MACs are derived from; otherwise the path of the profile, the image or the first disk, else the VM's name. */
  readonly identity?: string;
  /** It is only looked at: there need not be anything to boot. */
  readonly onlyShown?: boolean;
}

/** Throws one QL_SPEC that names every mistake and its place. */
export function parseVmSpec(raw: RawVm, context: VmContext): VmSpec {
  const gathering = new Gathering();
  gathering.problems.push(...raw.problems);
  const values = new Values(raw, context.home, gathering);
  const spec = readVm(values, raw, context, gathering);
  checkKernel(values, gathering);
  checkVm(spec, placesIn(raw, values), gathering);
  if (context.onlyShown !== true) checkSomethingToBoot(raw, spec, gathering);
  checkFiles(raw, context, gathering);
  if (gathering.problems.length > 0) throw specError(spec.name, gathering.problems);
  return spec;
}

/** A mistake in a file is one also where something else is taken instead: it waits for another start. */
function checkFiles(raw: RawVm, context: VmContext, gathering: Gathering): void {
  const key = ({ at, what }: Problem): string => `${at}: ${what}`;
  const told = new Set(gathering.problems.map(key));
  for (const file of raw.files) {
    const own = new Gathering();
    const alone = { ...raw, ...file };
    readVm(new Values(alone, context.home, own), alone, context, own);
    gathering.problems.push(...own.problems.filter((problem) => !told.has(key(problem))));
  }
}

function placesIn(raw: RawVm, values: Values): Places {
  const ids = deviceIds(raw.disks, 'disk');
  return {
    key: (name) => at(values, name),
    disk: (id) => {
      const device = raw.disks[ids.lastIndexOf(id)];
      return device === undefined ? `disk ${id}` : 'short' in device ? device.short.at : device.at;
    },
  };
}

/** Asked of what was written: a disk with a mistake in it is a disk. */
function checkSomethingToBoot(raw: RawVm, { boot, extra }: VmSpec, gathering: Gathering): void {
  const images =
    raw.disks.length + ['cdrom', 'kernel'].filter((key) => raw.values.has(key as KeyName)).length;
  const network = `${boot.order ?? ''}${boot.once ?? ''}`.includes('n');
  if (images === 0 && extra.length === 0 && !network)
    gathering.refuse(
      'VM',
      'there is nothing to boot',
      'qlaunch IMAGE, --cdrom FILE, --kernel FILE or --boot n',
    );
}

function specError(name: string, problems: readonly Problem[]): QlaunchError {
  return new QlaunchError('QL_SPEC', EXIT.usage, {
    what: `cannot read the description of VM "${name}"`,
    why: problems.map(({ at, what, hint }) => `${at}: ${what}${hint ? ` (${hint})` : ''}`),
    todo: [],
  });
}

function readVm(values: Values, raw: RawVm, context: VmContext, gathering: Gathering): VmSpec {
  const given = values.plain('name');
  const disks = readDisks(raw.disks, context, gathering);
  const named = raw.named ?? disks[0]?.file;
  const taken = given === undefined ? undefined : gathering.take(parseVmName(given, at(values, 'name')));
  // One that can not be taken is no name for messages either.
  const name = taken ?? vmNameFrom(named ?? '') ?? 'vm';
  const [cpu, qemu, vnc, uefi] = [
    values.plain('cpu'),
    values.plain('qemu'),
    readVnc(values),
    readUefi(values),
  ];
  const kernel = readKernel(values);
  const helper = values.read('helper', (value) => parsePath(value, context.home));
  return {
    name,
    nameGiven: given !== undefined,
    identity: context.identity ?? named ?? name,
    machine: values.read('machine', ({ text, at }) => parseMachine(text, at)) ?? 'q35',
    accel:
      values.read('accel', ({ text, at }) => parseChoice(text, at, ['auto', 'kvm', 'tcg'] as const)) ??
      'auto',
    smp: values.read('cpus', parseSmp) ?? { cpus: 1 },
    memoryMiB: values.read('memory', ({ text, at }) => parseMemoryMiB(text, at)) ?? 1024,
    disks,
    cdroms: values.all('cdrom').flatMap((value) => gathering.take(parsePath(value, context.home)) ?? []),
    snapshot: values.switch('snapshot'),
    boot: values.read('boot', parseBoot) ?? { menu: false },
    display:
      values.read('display', ({ text, at }) => parseChoice(text, at, ['none', 'gtk', 'sdl'] as const)) ??
      'none',
    serial: values.read('serial', (value) => parseSerial(value, context.home)) ?? { kind: 'socket' },
    rng: values.switch('rng'),
    balloon: values.switch('balloon'),
    nets: withHelper(readNets(raw.nets, context, gathering), helper),
    hostdevs: values
      .all('hostdev')
      .flatMap((value, index) => parseHostdev(value, index, context.home, gathering) ?? []),
    extra: raw.extra,
    ...(cpu === undefined ? {} : { cpu }),
    ...(qemu === undefined ? {} : { qemu }),
    ...(vnc === undefined ? {} : { vnc }),
    ...(uefi === undefined ? {} : { uefi }),
    ...(kernel === undefined ? {} : { kernel }),
  };
}

function withHelper(nets: readonly NetSpec[], helper: string | undefined): readonly NetSpec[] {
  if (helper === undefined) return nets;
  return nets.map((net) => (net.mode === 'bridge' ? { helper, ...net } : net));
}

const at = (values: Values, key: KeyName): string => values.text(key)?.at ?? key;

function readVnc(values: Values): VncSpec | undefined {
  return values.read('vnc', (value) => parseVnc(value, values.home));
}

/** `--uefi` is "on"; `--uefi-vars` alone asks for it as well. */
function readUefi(values: Values): UefiSpec | undefined {
  const text = values.text('uefi')?.text ?? (values.text('uefi-vars') ? 'on' : 'off');
  const vars = values.path('uefi-vars');
  if (text === 'off' || text === 'no' || text === 'false') return undefined;
  const code = text === 'on' || text === 'yes' || text === 'true' ? undefined : values.path('uefi');
  return { ...(code === undefined ? {} : { code }), ...(vars === undefined ? {} : { vars }) };
}

/** Asked of all sources together: the kernel may be in another one. */
function checkKernel(values: Values, gathering: Gathering): void {
  if (values.text('kernel')) return;
  for (const key of ['initrd', 'append'] as const)
    if (values.text(key)) gathering.refuse(at(values, key), `${key} needs a kernel`, '--kernel FILE');
}

function readKernel(values: Values): KernelSpec | undefined {
  const [kernel, initrd, append] = [values.path('kernel'), values.path('initrd'), values.plain('append')];
  if (kernel === undefined) return undefined;
  return { kernel, ...(initrd === undefined ? {} : { initrd }), ...(append === undefined ? {} : { append }) };
}

function readDisks(devices: readonly RawDevice[], { home }: VmContext, gathering: Gathering): DiskSpec[] {
  const ids = deviceIds(devices, 'disk');
  return devices.flatMap((device, i) => {
    const disk = parseDisk(device, { id: ids[i] ?? `disk${i}`, home });
    if (!Array.isArray(disk)) return [disk as DiskSpec];
    gathering.problems.push(...disk);
    return [];
  });
}

function readNets(written: readonly RawDevice[], { home }: VmContext, gathering: Gathering): NetSpec[] {
  const fallback = { text: findKey('net')?.default ?? 'user', at: BUILT_IN, dir: '/' };
  const devices: readonly RawDevice[] = written.length > 0 ? written : [{ short: fallback }];
  const ids = deviceIds(devices, 'net');
  return devices.flatMap((device, i) => {
    const net = parseNet(device, { id: ids[i] ?? `net${i}`, home });
    if (net === 'none') {
      const place = 'short' in device ? device.short.at : device.at;
      if (devices.length > 1) gathering.refuse(place, '`none` can not stand beside other networks');
      return [];
    }
    if ('mode' in net) return [net];
    gathering.problems.push(...net);
    return [];
  });
}
