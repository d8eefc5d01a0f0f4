/** What `qlaunch forward` does. */
import { EXIT, QlaunchError } from '../../errors.ts';
import { natPlaces } from '../../host/nat/places.ts';
import { identity } from '../../host/vm/user.ts';
import { hostfwdAdd, hostfwdRemove } from '../../plan/forward/monitor.ts';
import { planJson, renderPlan } from '../../plan/render.ts';
import { shellLine } from '../../plan/shell.ts';
import {
  addForward,
  freshSteps,
  isSame,
  listForwards,
  type Place,
  refuseTaken,
  removeForward,
} from '../../run/forward/live.ts';
import { natForwardEntries, watchSteps } from '../../run/forward/nat.ts';
import { isLive, nicFor } from '../../run/forward/nic.ts';
import { openEngine } from '../../run/open-engine.ts';
import type { Nic, NicForward } from '../../run/vm/forwards.ts';
import { findVm, listVms, type VmStatus } from '../../run/vm/status.ts';
import { type Forward, parseForward } from '../../spec/forward.ts';
import { isProblem, type Problem } from '../../spec/raw.ts';
import { requireRoot } from '../root.ts';
import { json, note, out, table } from '../terminal.ts';

declare const QLAUNCH_VERSION: string;

export interface ForwardOptions {
  readonly nic?: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

const ROOTS = 'only root may change what leads to guests of a network of this host';

function look(name: string): { place: Place; vm: VmStatus } {
  const who = identity(process.env);
  const vm = findVm(name, who, process.env);
  const engine = openEngine({ tool: `qlaunch ${QLAUNCH_VERSION}` });
  return { place: { engine, places: natPlaces(process.env), vms: () => listVms(who, process.env) }, vm };
}

export async function add(name: string, spec: string, options: ForwardOptions): Promise<number> {
  const forward = parseForward(spec, 'SPEC');
  if (isProblem(forward)) throw notForward(forward);
  const { place, vm } = look(name);
  const nic = nicFor(vm, options.nic);
  if (nic.mode === 'nat') refuseOpen(forward);
  if (options.dryRun === true) {
    if (nic.mode === 'user') {
      await refuseTaken(place, forward);
      return monitorLine(name, hostfwdAdd(nic.id, forward), options);
    }
    const { steps } = await freshSteps(place, vm, nic, forward);
    const plan = { steps: [...steps, ...watchSteps(place.engine, vm, nic)] };
    if (options.json === true) json(planJson(plan));
    else out(renderPlan(plan).trimEnd());
    return EXIT.ok;
  }
  if (nic.mode === 'nat') requireRoot(ROOTS);
  const made = await addForward(place, vm, nic, forward);
  if (options.json === true) json({ vm: vm.record.name, nic: nic.id, mode: nic.mode, forward: made });
  else out(`${text(made)} -> guest ${made.guestPort}, until ${vm.record.name} ends`);
  return EXIT.ok;
}

export async function remove(name: string, spec: string, options: ForwardOptions): Promise<number> {
  const short = parseForward(`${spec}:1`, 'SPEC');
  const forward = isProblem(short) ? parseForward(spec, 'SPEC') : short;
  if (isProblem(forward)) throw notForward(forward);
  const { place, vm } = look(name);
  const { nic, found } = findForward(vm, forward, options.nic);
  if (options.dryRun === true) {
    if (nic.mode === 'user') {
      const proto = forward.proto;
      return monitorLine(name, hostfwdRemove(nic.id, { ...found, proto }), options);
    }
    const entries = natForwardEntries(place.engine, vm, nic, found);
    if (options.json === true) json(entries.map(({ title, byHand }) => ({ title, undo: byHand })));
    else out(entries.map(({ byHand }) => byHand).join('\n'));
    return EXIT.ok;
  }
  if (nic.mode === 'nat') requireRoot(ROOTS);
  const left = await removeForward(place, vm, nic, found);
  for (const { title, why, byHand } of left) note(`qlaunch: left over: "${title}": ${why}\n  try: ${byHand}`);
  if (options.json === true)
    json({ vm: vm.record.name, nic: nic.id, removed: left.length === 0 ? found : null, left });
  else if (left.length === 0) out(`${text(found)} leads to ${vm.record.name} no more`);
  return left.length === 0 ? EXIT.ok : EXIT.leftovers;
}

export async function list(name: string, options: ForwardOptions): Promise<number> {
  const rows = await listForwards(look(name).vm);
  if (options.json === true) json(rows);
  else if (rows.length === 0) note(`nothing is forwarded to ${name}`);
  else
    out(
      table(
        ['PROTO', 'ADDRESS', 'PORT', 'GUEST', 'NIC', 'MODE'],
        rows.map(({ proto, address, hostPort, guestPort, nic, mode }) => [
          ...[proto, address, `${hostPort}`, `${guestPort}`],
          ...[nic, mode],
        ]),
      ),
    );
  return EXIT.ok;
}

const text = ({ proto, address, hostPort }: NicForward): string => `${proto} ${address}:${hostPort}`;

function notForward({ what, hint }: Problem): QlaunchError {
  return new QlaunchError('QL_USAGE', EXIT.usage, { what, todo: [hint ?? 'qlaunch help forward add'] });
}

/** No program listens, so nobody would choose. */
function refuseOpen({ hostPort }: Forward): void {
  if (hostPort !== 0) return;
  throw new QlaunchError('QL_FORWARD_REFUSED', EXIT.refused, {
    what: 'port 0 chooses no port on a NAT network',
    why: ['no program listens on it'],
    todo: ['name a port'],
  });
}

/** Throws QL_NO_FORWARD (exit 2); QL_FORWARD_MODE when its NIC can not lose it while the VM runs. */
function findForward(vm: VmStatus, wanted: Forward, id?: string): { nic: Nic; found: NicForward } {
  for (const nic of vm.record.nics) {
    const found = nic.forwards.find((one) => isSame(one, wanted));
    if (found === undefined || (id !== undefined && nic.id !== id)) continue;
    return { nic: isLive(nic) ? nic : nicFor(vm, nic.id), found };
  }
  const all = vm.record.nics.flatMap(({ forwards }) => forwards.map(text));
  throw new QlaunchError('QL_NO_FORWARD', EXIT.usage, {
    what: `${text(wanted)} does not lead to VM "${vm.record.name}"`,
    why: [all.length === 0 ? 'nothing does' : `these do: ${all.join(', ')}`],
    todo: [`qlaunch forward list ${vm.record.name}`],
  });
}

/** As it can be typed. */
function monitorLine(vm: string, line: string, options: ForwardOptions): number {
  const args = JSON.stringify({ 'command-line': line });
  if (options.json === true)
    json({ qmp: { execute: 'human-monitor-command', arguments: { 'command-line': line } } });
  else out(shellLine(['qlaunch', 'qmp', vm, 'human-monitor-command', args]));
  return EXIT.ok;
}
