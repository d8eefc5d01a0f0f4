/** Everything about a start that can be decided before it: looked up, checked, put together. Changes nothing. */
import type { Host } from '../../host/port.ts';
import { chooseAccel } from '../../host/qemu/accel.ts';
import { qemuCaps } from '../../host/qemu/ask.ts';
import { findBeside, findQemu, type QemuBinary } from '../../host/qemu/find.ts';
import { refusal } from '../../host/qemu/finding.ts';
import { findFirmware, varsPath } from '../../host/qemu/firmware.ts';
import { findBridgeHelper } from '../../host/qemu/helper.ts';
import type { ResolvedDisk } from '../../host/qemu/images.ts';
import { preflight } from '../../host/qemu/preflight.ts';
import { type Pins, readPins } from '../../host/vfio/pins.ts';
import { mayUse } from '../../host/vm/access.ts';
import { type VmDirs, vmDirs } from '../../host/vm/dirs.ts';
import { type MacTable, readMacs } from '../../host/vm/macs.ts';
import { dropPrivileges } from '../../host/vm/spawn.ts';
import type { VmRecord } from '../../host/vm/store.ts';
import type { Identity } from '../../host/vm/user.ts';
import { plugIn } from '../../plan/nat/plug.ts';
import { type QemuCommand, qemuCommand } from '../../plan/qemu/command.ts';
import { type Firmware, type NicContext, type QemuContext, runPaths } from '../../plan/qemu/context.ts';
import { secretSteps } from '../../plan/qemu/secret.ts';
import { requireSupport } from '../../plan/qemu/support.ts';
import type { Step } from '../../plan/step.ts';
import { layoutSteps, prepareSteps } from '../../plan/vm/prepare.ts';
import { bracketed } from '../../spec/ip.ts';
import type { Mac } from '../../spec/mac.ts';
import type { NetSpec } from '../../spec/net-spec.ts';
import type { DiskFormat, VmSpec } from '../../spec/vm-spec.ts';
import { bridgeWishes, checkBridges } from './bridge.ts';
import { withHooks } from './hooks.ts';
import { type HostNeeds, hostNeeds } from './host.ts';
import { networksOf } from './networks.ts';
import { chooseMacs, livingMacs, macOwner } from './nics.ts';
import { choosePlace, type Place } from './place.ts';
import { listVms } from './status.ts';

export interface VmPlan {
  readonly spec: VmSpec;
  readonly place: Place;
  readonly dirs: VmDirs;
  /** Printed by --dry-run; made by the launcher itself (plan/vm/prepare.ts). */
  readonly layout: readonly Step[];
  /** What is run before QEMU starts, in this order, as it is printed. */
  readonly steps: readonly Step[];
  /** `prlimit …` in front of everything: the guest's memory is locked. */
  readonly limits: readonly string[];
  /** `setpriv … --` in front of QEMU when its user is not ours, behind `limits`. */
  readonly runAs: readonly string[];
  readonly command: QemuCommand;
  readonly record: VmRecord;
  /** Open descriptors of the caller that QEMU uses under the same numbers. */
  readonly descriptors: readonly number[];
  /** What has to be on the host for as long as it runs. */
  readonly host?: HostNeeds;
  /** Formats that are new to us; written down when the VM is really started. */
  readonly newDisks: readonly ResolvedDisk[];
  readonly newMacs?: MacTable;
  readonly pins: Pins;
  /** Where the VM's own UEFI variables come from. */
  readonly vars?: { readonly template: string; readonly target: string };
  /** For -v: what was found or chosen, and from what. */
  readonly decisions: readonly string[];
  /** Worth a line to the user. */
  readonly notes: readonly string[];
}

export interface PlanWish {
  readonly host: Host;
  readonly who: Identity;
  readonly env: NodeJS.ProcessEnv;
  readonly detached: boolean;
  /** This very command, with root's rights: for what only root may do. */
  readonly again?: string;
  /** readProcLocks(), begun as early as possible: the kernel takes 8 ms to open the list. */
  readonly procLocks: Promise<string>;
  /** Disks that `install` is about to make: id and format. Not there yet, so nothing about them is checked. */
  readonly toBeMade?: ReadonlyMap<string, DiskFormat>;
}

/** Errors: QL_QEMU_MISSING, QL_VM_RUNNING, one refusal with all findings of the preflight, … */
export async function planVm(wanted: VmSpec, wish: PlanWish): Promise<VmPlan> {
  const { host, who, env, procLocks } = wish;
  const runAs = dropPrivileges(who);
  const qemu = findQemu(wanted.qemu);
  const dirs = vmDirs(who, env, Buffer.byteLength(wanted.name) + 4);
  const named = { name: wanted.name, given: wanted.nameGiven, identity: wanted.identity };
  const place = choosePlace(named, dirs);
  const spec = withHooks({ ...wanted, name: place.name }, who);
  const paths = runPaths(place.dir, place.socketDir);
  const [caps, accel] = await Promise.all([qemuCaps(host, qemu, runAs), accelerate(spec, qemu, wish, runAs)]);
  const tools = { host, qemuImg: findBeside(qemu, 'qemu-img'), runAs, procLocks };
  const made = wish.toBeMade ?? new Map<string, DiskFormat>();
  const there = { ...spec, disks: spec.disks.filter(({ id }) => !made.has(id)) };
  const sockets = [{ path: paths.supervisorSock, at: 'the VM’s run-time directory' }];
  const allow = new Map(spec.disks.map((disk) => [disk.id, disk.backing ?? []]));
  const found = await preflight(tools, there, { stateDir: dirs.state, sockets, uid: who.user.uid, allow });
  const living = livingMacs(listVms(who, env));
  const chosen = chooseMacs(spec, who.user.uid, readMacs(dirs.state), living);
  const { macs, record: newMacs } = chosen;
  const networks = await networksOf(spec, who, host, env, wish.again);
  const plugged = { ...spec, nets: plugIn(spec.nets, networks.sockets) };
  const pins = readPins(dirs.state, macOwner(who.user.uid, spec.identity));
  const needs = await hostNeeds(plugged, who, host, macs, networks, pins);
  const byHelper = bridgeWishes(plugged, {
    who,
    ...(caps.bridgeHelper ? { builtIn: caps.bridgeHelper } : {}),
  });
  const bridges = await checkBridges(host, byHelper);
  const [first, ...others] = [
    ...found.findings,
    ...networks.findings,
    ...(needs?.findings ?? []),
    ...bridges.findings,
  ];
  if (first !== undefined) {
    // Another start of this very VM was quicker: then that it runs is the news, not that it uses its disk.
    choosePlace(named, dirs);
    throw refusal([first, ...others]);
  }
  const firmware = chooseFirmware(spec, dirs, who.user.uid);
  const context: QemuContext = {
    binary: qemu.path,
    caps,
    accel: accel.accel,
    formats: Object.fromEntries([
      ...made,
      ...[...found.disks].map(([id, { format }]) => [id, format] as const),
    ]),
    nics: Object.fromEntries(
      plugged.nets.flatMap((net) => {
        const mac = macs[net.id];
        return mac === undefined ? [] : [[net.id, nicOf(mac, needs, net)] as const];
      }),
    ),
    hostdevs: needs?.devices ?? {},
    ...(firmware === undefined ? {} : { firmware: firmware.use }),
    paths,
    bridgeHelper: plugged.nets.some(({ mode }) => mode === 'bridge')
      ? findBridgeHelper(caps.bridgeHelper)
      : '',
    vhostNet: mayUse('/dev/vhost-net'),
  };
  requireSupport(spec, context);
  const command = qemuCommand(spec, context);
  const disks = [...found.disks.values()];
  const own = firmware?.vars === undefined ? {} : { vars: firmware.vars };
  const prepare = { place, caps, paths, user: who.user, runAs, ...own };
  return {
    spec,
    place,
    dirs,
    layout: layoutSteps(prepare),
    steps: [...secretSteps(spec, prepare), ...prepareSteps(spec, prepare)],
    limits: needs?.limits ?? [],
    runAs: [...(needs?.limits ?? []), ...runAs],
    command,
    record: recordOf(spec, place, command, macs, wish),
    descriptors: spec.nets.flatMap((net) =>
      net.mode === 'tap' ? [net.fd, net.vhostFd].filter((fd) => fd !== undefined) : [],
    ),
    ...(needs === undefined ? {} : { host: needs }),
    newDisks: disks.filter((disk) => disk.record),
    ...(newMacs === undefined ? {} : { newMacs }),
    pins: needs?.pins ?? {},
    ...own,
    decisions: [
      `QEMU ${caps.version.major}.${caps.version.minor}.${caps.version.micro} is ${qemu.path}`,
      `accelerator ${accel.accel}${spec.accel === 'auto' ? ', chosen by a trial' : ', as asked for'}`,
      `its files are in ${place.dir}`,
      ...[...found.disks].map(
        ([id, disk]) => `${id}: ${disk.file}, ${disk.format}${disk.record ? ' (probed, recorded now)' : ''}`,
      ),
      ...spec.nets.map(
        (net) => `${net.id}: ${net.mode}, MAC ${macs[net.id]}${net.mac === undefined ? '' : ' (given)'}`,
      ),
    ],
    notes: [
      ...accel.notes,
      ...found.notes,
      ...chosen.notes,
      ...networks.notes,
      ...(needs?.notes ?? []),
      ...bridges.notes,
      ...disks.flatMap((disk) => disk.notes),
    ],
  };
}

function nicOf(mac: Mac, needs: HostNeeds | undefined, plugged: NetSpec): NicContext {
  const [ifname, pci] = [needs?.taps[plugged.id], needs?.devices[plugged.id]];
  return {
    mac,
    ...(ifname === undefined ? {} : { ifname }),
    ...(pci === undefined ? {} : { pci }),
    ...(plugged.mode === 'bridge' ? { bridge: plugged.bridge } : {}),
  };
}

async function accelerate(
  spec: VmSpec,
  qemu: QemuBinary,
  { host }: PlanWish,
  runAs: readonly string[],
): Promise<{ accel: 'kvm' | 'tcg'; notes: readonly string[] }> {
  if (spec.accel !== 'auto') return { accel: spec.accel, notes: [] };
  const choice = await chooseAccel(host, qemu, { runAs });
  if (choice.accel === 'kvm') return { accel: 'kvm', notes: [] };
  const cure = choice.cure.length === 0 ? '' : `; try: ${choice.cure.join('; ')}`;
  return { accel: 'tcg', notes: [`no KVM, the guest will be slow: ${choice.because}${cure}`] };
}

function chooseFirmware(
  spec: VmSpec,
  dirs: VmDirs,
  uid: number,
): { use: Firmware; vars?: { template: string; target: string } } | undefined {
  if (spec.uefi === undefined) return undefined;
  const found = findFirmware(spec.machine);
  const code = spec.uefi.code ?? found.code;
  if (spec.uefi.vars !== undefined) return { use: { code, vars: spec.uefi.vars, format: found.format } };
  const kind = found.format === 'raw' ? 'fd' : 'qcow2';
  const target = varsPath(dirs.state, uid, spec.identity, kind);
  return {
    use: { code, vars: target, format: found.format },
    vars: { template: found.varsTemplate, target },
  };
}

function recordOf(
  spec: VmSpec,
  place: Place,
  command: QemuCommand,
  macs: Readonly<Record<string, string>>,
  wish: PlanWish,
): VmRecord {
  const { vnc } = spec;
  return {
    v: 1,
    name: place.name,
    identity: spec.identity,
    uid: wish.who.user.uid,
    startedAt: new Date().toISOString(),
    detached: wish.detached,
    argv: [command.binary, ...command.argv],
    socketDir: place.socketDir,
    serial: spec.serial.kind,
    nics: spec.nets.map((net) => ({
      id: net.id,
      mode: net.mode,
      mac: macs[net.id] ?? '',
      forwards: 'forwards' in net ? net.forwards : [],
    })),
    disks: spec.disks.map(({ file }) => file),
    ...(vnc === undefined ? {} : { vnc: `${bracketed(vnc.address)}:${5900 + vnc.display}` }),
  };
}
