/** Taps that root prepares once and a user's VMs open for ever: no launch makes, changes or removes them. */
import { EXIT, QlaunchError } from '../../errors.ts';
import { readFacts } from '../../host/facts.ts';
import type { HostFacts, LinkFact } from '../../plan/facts.ts';
import { isOwnerMark } from '../../plan/owner.ts';
import type { Plan } from '../../plan/step.ts';
import { planTaps, type TapWish } from '../../plan/tap/managed.ts';
import { apply } from '../apply.ts';
import { newId } from '../change/execute.ts';
import type { Engine } from '../engine.ts';
import { openChanges, type Recovered, undoChange } from '../recover.ts';

/** As `qlaunch tap list` shows it. */
export interface TapRow {
  readonly name: string;
  readonly user?: string;
  readonly group?: string;
  readonly bridge?: string;
  readonly severalQueues: boolean;
  readonly up: boolean;
  /** A process has it open. */
  readonly used: boolean;
  /** The id of the change that `tap add` made; undefined: not by `tap add`. */
  readonly change?: string;
  /** Made by qlaunch, by whatever command. */
  readonly ours: boolean;
}

const titleOf = (name: string): string => `tap add ${name}`;

/** The steps and the change's name, for --dry-run and for addTap(). */
export function preparedPlan(
  engine: Engine,
  wish: TapWish,
): { id: string; plan: (facts: HostFacts) => Plan<HostFacts> } {
  const id = newId(engine);
  return { id, plan: (facts) => planTaps([wish], { untilUndone: id }, facts) };
}

/** Stays until `tap del`, or the next boot. Errors: QL_LINK_EXISTS, QL_NO_BRIDGE, QL_STEP_REFUSED. */
export async function addTap(engine: Engine, wish: TapWish): Promise<void> {
  const { id, plan } = preparedPlan(engine, wish);
  const lifetime = { untilUndone: id };
  await apply(engine, { title: titleOf(wish.name), lifetime, holder: 'until-undone', id }, plan);
}

/**
 * Takes back what addTap() made. Errors: QL_NO_TAP (exit 2), QL_TAP_FOREIGN, QL_TAP_BUSY (exit 3) unless `force`:
 * QEMU would go on, and its guest hear nothing any more.
 */
export async function delTap(engine: Engine, name: string, force: boolean): Promise<Recovered> {
  return undoChange(engine, await changeToUndo(engine, name, force));
}

/** The id of what delTap() takes back. Errors: as delTap(). */
export async function changeToUndo(engine: Engine, name: string, force: boolean): Promise<string> {
  const taps = await listTaps(engine);
  const tap = taps.find((row) => row.name === name);
  const id = tap?.change ?? changeOf(engine, name);
  if (id === undefined) throw tap === undefined ? noTap(name, taps) : foreign(tap);
  if (tap?.used === true && !force)
    throw new QlaunchError('QL_TAP_BUSY', EXIT.refused, {
      what: `the tap ${name} is in use`,
      why: ['a process has it open; its guest would hear nothing any more'],
      todo: ['qlaunch ps', `qlaunch tap del ${name} --force`],
    });
  return id;
}

export async function listTaps(engine: Engine): Promise<readonly TapRow[]> {
  const facts = await readFacts(engine.machine, engine.newToken());
  return facts.links.filter(({ tun }) => tun?.type === 'tap').map((link) => rowOf(engine, link));
}

function rowOf(engine: Engine, { ifname, tun, master, flags, ifalias }: LinkFact): TapRow {
  const change = changeOf(engine, ifname);
  return {
    name: ifname,
    ...(tun?.user === undefined ? {} : { user: tun.user }),
    ...(tun?.group === undefined ? {} : { group: tun.group }),
    ...(master === undefined ? {} : { bridge: master }),
    severalQueues: tun?.multiQueue === true,
    up: flags.includes('UP'),
    used: flags.includes('LOWER_UP'),
    ...(change === undefined ? {} : { change }),
    ours: isOwnerMark(ifalias),
  };
}

function changeOf(engine: Engine, name: string): string | undefined {
  return openChanges(engine).find(({ change }) => change.journal?.head.title === titleOf(name))?.change.id;
}

function noTap(name: string, taps: readonly TapRow[]): QlaunchError {
  const known = taps.filter(({ change }) => change !== undefined).map((tap) => tap.name);
  return new QlaunchError('QL_NO_TAP', EXIT.usage, {
    what: `there is no tap ${name}`,
    why: [
      known.length === 0 ? 'qlaunch tap add has made none' : `made by qlaunch tap add: ${known.join(', ')}`,
    ],
    todo: ['qlaunch tap list'],
  });
}

function foreign({ name, ours, used }: TapRow): QlaunchError {
  return new QlaunchError('QL_TAP_FOREIGN', EXIT.refused, {
    what: `the tap ${name} was not made by qlaunch tap add`,
    why: [
      ours && used
        ? 'it belongs to a running VM and goes away with it'
        : ours
          ? 'it has a mark of qlaunch, but no change that can be read tells of it, and no process has it open'
          : 'somebody else made it',
    ],
    todo:
      ours && used
        ? ['qlaunch ps']
        : [...(ours ? ['qlaunch changes'] : []), `sudo ip link delete dev ${name}   # if it is yours`],
  });
}
