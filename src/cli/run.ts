/** qlaunch run (also without the word): a VM in the foreground, in the background, or only printed. */
import { EXIT } from '../errors.ts';
import { linuxMachine } from '../host/linux.ts';
import type { Host } from '../host/port.ts';
import type { Identity } from '../host/vm/user.ts';
import { renderCommand } from '../plan/qemu/command.ts';
import { planJson, renderPlan } from '../plan/render.ts';
import type { Step } from '../plan/step.ts';
import { launch } from '../run/vm/launch.ts';
import { planVm, type VmPlan } from '../run/vm/plan.ts';
import type { VmStatus } from '../run/vm/status.ts';
import { parseVmSpec } from '../spec/vm.ts';
import type { VmSpec } from '../spec/vm-spec.ts';
import { readDescription } from './describe.ts';
import { follow, listenForStops } from './follow.ts';
import { json, note, out } from './terminal.ts';
import { keepTerminal } from './tty.ts';

export interface RunOptions {
  readonly detach?: boolean;
  readonly daemonize?: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** What the session adds to the options. */
export interface Given {
  /** QEMU's own arguments. */
  readonly extra: readonly string[];
  readonly procLocks: Promise<string>;
}

export function run(
  image: string | undefined,
  options: RunOptions & Record<string, unknown>,
  given: Given,
): Promise<number> {
  const { who, raw, context } = readDescription(image, options, given.extra);
  return start(parseVmSpec(raw, context), who, options, given);
}

async function start(
  spec: VmSpec,
  who: Identity,
  options: RunOptions,
  { procLocks }: Given,
): Promise<number> {
  const host = linuxMachine();
  const plan = await planVm(spec, { host, who, env: process.env, procLocks, detached: isDetached(options) });
  return options.dryRun ? show(plan, options) : launchPlan(plan, host, who, options);
}

export const isDetached = ({ detach, daemonize }: RunOptions): boolean =>
  detach === true || daemonize === true;

export async function launchPlan(
  plan: VmPlan,
  host: Host,
  who: Identity,
  options: RunOptions,
): Promise<number> {
  const detached = isDetached(options);
  for (const line of plan.notes) note(`qlaunch: ${line}`);
  if (options.verbose) note(renderCommand(plan.command));
  const terminal = plan.spec.serial.kind === 'stdio' && !detached;
  if (!detached) return foreground(plan, host, who, terminal);
  const { vm, qmp } = await launch(plan, host, who, terminal);
  await qmp.close();
  announce(vm, plan, options);
  return EXIT.ok;
}

async function foreground(plan: VmPlan, host: Host, who: Identity, terminal: boolean): Promise<number> {
  const restore = terminal ? await keepTerminal() : undefined;
  const { stops, forget } = listenForStops();
  try {
    const { vm, qmp } = await launch(plan, host, who, terminal);
    return await follow(vm, qmp, stops, terminal);
  } finally {
    forget();
    await restore?.();
  }
}

/** `first`: steps of the caller that come before the VM's own. */
export function show(plan: VmPlan, options: RunOptions, first: readonly Step[] = []): number {
  const shell = renderCommand(plan.command);
  const steps = { steps: [...first, ...plan.steps] };
  if (options.json) {
    const { binary, argv } = plan.command;
    json({
      name: plan.place.name,
      dir: plan.place.dir,
      ...planJson(steps),
      qemu: { argv: [binary, ...argv], shell },
      notes: plan.notes,
    });
    return EXIT.ok;
  }
  for (const line of plan.notes) note(`qlaunch: ${line}`);
  out(`${renderPlan(steps)}# start QEMU\n${shell}`);
  return EXIT.ok;
}

/** The documented shape of `-d --json`: name, pid, dir, nics, and vnc where there is one. */
function announce(vm: VmStatus, plan: VmPlan, options: RunOptions): void {
  const { name, nics, vnc, serial } = vm.record;
  if (options.json) {
    json({ name, pid: vm.pid, dir: vm.dir, nics, ...(vnc === undefined ? {} : { vnc }) });
    return;
  }
  out(`${name} is running (pid ${vm.pid})`);
  const forwards = nics.flatMap((nic) => nic.forwards);
  for (const { proto, address, hostPort, guestPort } of forwards) {
    const ssh = proto === 'tcp' && guestPort === 22 ? `   ssh -p ${hostPort} USER@${reachable(address)}` : '';
    out(`  ${proto} ${address}:${hostPort} -> guest ${guestPort}${ssh}`);
  }
  if (vnc !== undefined) out(`  screen   vnc://${vnc}${exposed(plan.spec)}`);
  if (serial === 'socket') out(`  console  qlaunch console ${name}`);
  out(`  stop     qlaunch stop ${name}`);
}

const reachable = (address: string): string => (address === '0.0.0.0' ? '127.0.0.1' : address);

function exposed({ vnc }: VmSpec): string {
  if (vnc === undefined || /^(127\.|::1$)/.test(vnc.address)) return '';
  return vnc.passwordFile === undefined
    ? '   (open to the network, without a password)'
    : '   (open to the network)';
}
