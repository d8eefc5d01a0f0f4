/** qlaunch bridge create | delete | add-port | remove-port | set. */
import { EXIT, QlaunchError } from '../../errors.ts';
import { planJson, renderPlan } from '../../plan/render.ts';
import type { Plan } from '../../plan/step.ts';
import { ipForwardReport } from '../../run/bridge/ip-forward.ts';
import {
  addPortOrder,
  type BridgeOrder,
  carryOut,
  changesToDelete,
  createOrder,
  portChange,
  removePortOrder,
  setOrder,
  undoAll,
} from '../../run/bridge/made.ts';
import { editedSince } from '../../run/bridge/resolv-conf.ts';
import { listBridges } from '../../run/bridge/show.ts';
import { refreshWayBack } from '../../run/bridge/uplink.ts';
import type { Engine } from '../../run/engine.ts';
import { openEngine } from '../../run/open-engine.ts';
import { planUndo, undoChange } from '../../run/recover.ts';
import { parseHostAddress } from '../../spec/bridge/address.ts';
import { type BackEnd, parseBackEnd } from '../../spec/bridge/back-end.ts';
import { readSettings, type SettingsText } from '../../spec/bridge/settings.ts';
import { parseIfName, parseNewIfName } from '../../spec/ifname.ts';
import { Gathering } from '../../spec/raw.ts';
import { planned, told } from '../changes.ts';
import { requireRoot } from '../root.ts';
import { advise, json, out } from '../terminal.ts';

declare const QLAUNCH_VERSION: string;

export const engineNow = (): Engine => openEngine({ tool: `qlaunch ${QLAUNCH_VERSION}` });

export const ROOTS = 'only root may change bridges';

export interface Show {
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

export interface CreateOptions extends Show, SettingsText {
  readonly address?: readonly string[];
  readonly uplink?: string;
  readonly keep?: boolean;
  readonly dhcp?: boolean;
  readonly persist?: string | true;
  readonly physdev?: boolean;
  readonly confirm?: string | false;
  readonly force?: boolean;
}

export async function create(name: string, options: CreateOptions): Promise<number> {
  if (options.uplink !== undefined)
    return (await import('./uplink.ts')).create(name, options.uplink, options);
  const wish = checked('cannot make this bridge', (gathering) => {
    gathering.take(parseNewIfName(name, 'NAME'));
    if (options.dhcp === true)
      gathering.refuse('--dhcp', 'without an uplink there is no server to ask', 'add --uplink NIC');
    const addresses = (options.address ?? []).flatMap(
      (text) => gathering.take(parseHostAddress(text, '--address')) ?? [],
    );
    return { name, addresses, ...readPersist(options, gathering), ...readSettings(options, gathering) };
  });
  const engine = engineNow();
  const forward = await ipForwardReport(engine, name, wish);
  return carry(engine, createOrder(engine, wish), { ...options, forward }, (id) => [
    `${name} is there, ${wish.persist !== undefined ? 'also after the next boot' : 'until the next boot'}`,
    `  use    qlaunch IMAGE --net bridge:${name}   # sudo qlaunch acl init ${name} lets users do so`,
    `  undo   sudo qlaunch bridge delete ${name}   # change ${id}`,
  ]);
}

export function readPersist(
  { persist, physdev }: CreateOptions,
  gathering: Gathering,
): { readonly persist?: BackEnd | true; readonly physdev?: boolean } {
  if (physdev === true && persist === undefined)
    gathering.refuse('--physdev', 'the rule is written with what makes the bridge at boot', 'add --persist');
  const rules = physdev === true ? { physdev } : {};
  if (persist === undefined || persist === 'none') return {};
  if (persist === true) return { persist, ...rules };
  const backEnd = gathering.take(parseBackEnd(persist, '--persist'));
  return backEnd === undefined ? {} : { persist: backEnd, ...rules };
}

export async function set(name: string, options: Show & SettingsText): Promise<number> {
  const settings = checked('cannot set this', (gathering) => {
    gathering.take(parseIfName(name, 'NAME'));
    return readSettings(options, gathering);
  });
  if (Object.keys(settings).length === 0) {
    throw new QlaunchError('QL_USAGE', EXIT.usage, {
      what: 'nothing to set',
      todo: [`sudo qlaunch bridge set ${name} --stp off`, 'qlaunch help bridge set'],
    });
  }
  const engine = engineNow();
  const forward = await ipForwardReport(engine, name, settings);
  return carry(engine, setOrder(engine, name, settings), { ...options, forward }, (id) => [
    `${name} is set`,
    `  undo   sudo qlaunch undo ${id}`,
  ]);
}

export async function addPort(bridge: string, port: string, options: Show): Promise<number> {
  checkNames(bridge, port);
  const engine = engineNow();
  return carry(engine, addPortOrder(engine, bridge, port), options, () => [
    `${port} is a port of ${bridge}`,
    `  undo   sudo qlaunch bridge remove-port ${bridge} ${port}`,
  ]);
}

export async function removePort(bridge: string, port: string, options: Show): Promise<number> {
  checkNames(bridge, port);
  const engine = engineNow();
  const made = portChange(engine, bridge, port);
  if (made !== undefined && options.dryRun === true) return planned([planUndo(engine, made.id)], options);
  if (made !== undefined) {
    requireRoot(ROOTS);
    return told(await undoChange(engine, made.id), options);
  }
  return carry(engine, removePortOrder(engine, bridge, port), options, (id) => [
    `${port} is no port of ${bridge} any more`,
    `  undo   sudo qlaunch undo ${id}`,
  ]);
}

export interface DeleteOptions extends Show {
  readonly force?: boolean;
}

export async function remove(name: string, options: DeleteOptions): Promise<number> {
  const engine = engineNow();
  const changes = await changesToDelete(engine, name, options.force === true);
  if (options.dryRun === true)
    return planned(
      changes.map(({ id }) => planUndo(engine, id)),
      options,
    );
  requireRoot(ROOTS);
  for (const change of changes) if (change.verb === 'create') await refreshWayBack(engine, change);
  const edited: string[] = [];
  for (const { id } of changes) edited.push(...(await editedSince(engine, id)));
  const result = await undoAll(engine, changes);
  // After a reboot only files were left to take back: the bridge itself was made at boot, by ifupdown.
  const still = result.left.length === 0 && (await listBridges(engine)).some((row) => row.name === name);
  const said = still ? [`${name} was made at boot, and stays until the next one`] : [];
  return told({ ...result, said: [...result.said, ...edited, ...said] }, options);
}

/** What it would change in files that are there comes last, as comments. */
export async function planText<Facts>(engine: Engine, plan: Plan<Facts>): Promise<string> {
  const { fileDiffs } = await import('../../run/bridge/persist/diffs.ts');
  return `${renderPlan(plan)}${await fileDiffs(engine.machine, plan.steps)}`.trimEnd();
}

async function carry(
  engine: Engine,
  order: BridgeOrder,
  options: Show & { readonly forward?: readonly string[] },
  say: (id: string) => readonly string[],
): Promise<number> {
  const { forward = [] } = options;
  if (options.dryRun === true) {
    const plan = await order.plan();
    const text = (await planText(engine, plan)) || '# nothing to do: it is so already';
    if (options.json === true) json(planJson(plan));
    else out([...forward.map((one) => `# ${one}`), text].join('\n'));
    return EXIT.ok;
  }
  requireRoot(ROOTS);
  const id = await carryOut(engine, order);
  const said = id === undefined ? ['nothing to do: it is so already'] : say(id);
  if (options.json === true) json({ change: id ?? null });
  else advise([...said, ...forward.map((one) => `  note   ${one}`)].join('\n'));
  return EXIT.ok;
}

function checkNames(bridge: string, port: string): void {
  checked('cannot do this', (gathering) => {
    gathering.take(parseIfName(bridge, 'BRIDGE'));
    gathering.take(parseIfName(port, 'LINK'));
  });
}

/** Throws QL_USAGE (exit 2) with every mistake at once. */
export function checked<T>(what: string, read: (gathering: Gathering) => T): T {
  const gathering = new Gathering();
  const value = read(gathering);
  if (gathering.problems.length === 0) return value;
  throw new QlaunchError('QL_USAGE', EXIT.usage, {
    what,
    why: gathering.problems.map(
      ({ at, what: wrong, hint }) => `${at}: ${wrong}${hint === undefined ? '' : ` (${hint})`}`,
    ),
  });
}
