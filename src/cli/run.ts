/** qlaunch run (also without the word): a VM in the foreground, in the background, or only printed. */
import { EXIT, QlaunchError } from '../errors.ts';
import { linuxMachine } from '../host/linux.ts';
import type { Host } from '../host/port.ts';
import { signalQemu } from '../host/vm/signal.ts';
import { asRoot, type Identity } from '../host/vm/user.ts';
import { renderCommand } from '../plan/qemu/command.ts';
import { planJson, renderPlan } from '../plan/render.ts';
import type { Step } from '../plan/step.ts';
import type { Engine } from '../run/engine.ts';
import { openEngine } from '../run/open-engine.ts';
import { requireRoot } from '../run/vm/host.ts';
import { launch } from '../run/vm/launch.ts';
import { planVm, type VmPlan } from '../run/vm/plan.ts';
import { parseVmSpec } from '../spec/vm.ts';
import type { VmSpec } from '../spec/vm-spec.ts';
import { announcement, running } from './announce.ts';
import { readDescription } from './describe.ts';
import { follow, listenForStops } from './follow.ts';
import { tellLeft } from './left.ts';
import { sudoLine } from './root.ts';
import { json, note, out } from './terminal.ts';
import { keepTerminal } from './tty.ts';

declare const QLAUNCH_VERSION: string;

export interface RunOptions {
  readonly detach?: boolean;
  readonly daemonize?: boolean;
  readonly dryRun?: boolean;
  readonly fix?: boolean;
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
  if (options.fix === true)
    await (await import('./fix.ts')).fixHost(spec, host, who, options.dryRun === true);
  const plan = await planVm(spec, {
    ...{ host, who, env: process.env, procLocks },
    detached: isDetached(options),
    again: sudoLine(),
  });
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
  const terminal = plan.spec.serial.kind === 'stdio';
  const detached = isDetached(options);
  if (terminal && detached)
    throw new QlaunchError('QL_USAGE', EXIT.usage, {
      what: 'a detached VM can not have its serial line on this terminal',
      todo: [`qlaunch console ${plan.place.name}   # after a start without --serial stdio`],
    });
  requireRoot(plan.host?.preview ?? [], who, sudoLine());
  for (const line of plan.notes) note(`qlaunch: ${line}`);
  if (options.verbose) note([...plan.decisions, shownCommand(plan)].join('\n'));
  if (!detached) return foreground(plan, host, who, terminal);
  const { vm, qmp } = await launch(plan, host, { who, terminal, ...engineFor(plan) });
  await qmp.close();
  if (options.json) json(running(vm));
  else out(announcement(vm, plan.spec));
  return EXIT.ok;
}

/** Opened only where the host is changed: it looks at who and where we are. */
function engineFor({ host }: VmPlan): { engine?: Engine } {
  const changes = (host?.preview.length ?? 0) > 0;
  return changes ? { engine: openEngine({ tool: `qlaunch ${QLAUNCH_VERSION}` }) } : {};
}

async function foreground(plan: VmPlan, host: Host, who: Identity, terminal: boolean): Promise<number> {
  const kept = terminal ? await keepTerminal() : undefined;
  const { stops, forget } = listenForStops();
  const [launched, stop] = [new AbortController(), new AbortController()];
  void stops.next(launched.signal).then(() => stop.abort());
  try {
    const mine = engineFor(plan);
    const { vm, qmp } = await launch(plan, host, { who, terminal, stop: stop.signal, ...mine });
    // From here on a request goes to the guest.
    launched.abort();
    kept?.suspendWith((name) => signalQemu(vm.dir, name));
    if (!terminal) note(`${announcement(vm, plan.spec)}\n  Ctrl-C shuts the guest down`);
    const status = await follow(vm, qmp, stops);
    const { engine } = mine;
    return engine === undefined ? status : asRoot(who, () => tellLeft(vm.record, engine)) || status;
  } finally {
    forget();
    await kept?.restore();
  }
}

/** With `setpriv … --` in front where QEMU does not run as we do. */
function shownCommand({ command, runAs }: VmPlan): string {
  const [first, ...more] = runAs;
  if (first === undefined) return renderCommand(command);
  return renderCommand({
    ...command,
    binary: first,
    options: [[...more, command.binary], ...command.options],
  });
}

/** `first`: steps of the caller that come before the VM's own. */
export function show(plan: VmPlan, options: RunOptions, first: readonly Step[] = []): number {
  const shell = shownCommand(plan);
  const steps = { steps: [...first, ...plan.layout, ...(plan.host?.preview ?? []), ...plan.steps] };
  if (options.json) {
    const { binary, argv } = plan.command;
    const qemu = { argv: [...plan.runAs, binary, ...argv], shell };
    json({ name: plan.place.name, dir: plan.place.dir, ...planJson(steps), qemu, notes: plan.notes });
    return EXIT.ok;
  }
  for (const line of plan.notes) note(`qlaunch: ${line}`);
  // A shell of its own, that stops at the first step that fails; a user's own shell must not.
  out(`(set -e\n${renderPlan(steps)}# start QEMU\n${shell}\n)`);
  return EXIT.ok;
}
