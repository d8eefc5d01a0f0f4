/** Taps that root prepares once and a user's VMs open for ever: no launch makes, changes or removes them. */
import { EXIT, QlaunchError } from '../../errors.ts';
import { readFacts } from '../../host/facts.ts';
import type { HostFacts, LinkFact } from '../../plan/facts.ts';
import { isOwnerMark } from '../../plan/owner.ts';
import { shellWord } from '../../plan/shell.ts';
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
 * QEMU would go on, and its guest hear nothing any more. Exit 6 when the tap is there all the same, 3 when what made
 * it may not be touched from here.
 */
export async function delTap(engine: Engine, name: string, force: boolean): Promise<Recovered> {
  const all: Recovered[] = [];
  for (const id of await changesToUndo(engine, name, force)) all.push(await undoChange(engine, id));
  const { reported, ...rest } = {
    undone: all.flatMap(({ undone }) => undone),
    left: all.flatMap(({ left }) => left),
    said: all.flatMap(({ said }) => said),
    reported: all.flatMap((one) => one.reported),
  };
  const failed = all.find(({ exit }) => exit !== EXIT.ok)?.exit;
  const there = (await listTaps(engine)).some((row) => row.name === name);
  const exit = failed ?? (reported.length > 0 ? EXIT.refused : there ? EXIT.leftovers : EXIT.ok);
  return { ...rest, reported, exit };
}

/**
 * What delTap() takes back: the change that made this very tap, then those whose tap of that name is gone. Errors: as
 * delTap().
 */
export async function changesToUndo(
  engine: Engine,
  name: string,
  force: boolean,
): Promise<readonly string[]> {
  const taps = await listTaps(engine);
  const tap = taps.find((row) => row.name === name);
  const ids = madeHere(engine, name).map(({ id }) => id);
  const made = tap === undefined ? ids[0] : tap.change;
  if (made === undefined) throw tap === undefined ? noTap(name, taps) : foreign(tap, ids);
  if (tap?.used === true && !force)
    throw new QlaunchError('QL_TAP_BUSY', EXIT.refused, {
      what: `the tap ${name} is in use`,
      why: ['a process has it open; its guest would hear nothing any more'],
      todo: ['qlaunch ps', `qlaunch tap del ${shellWord(name)} --force`],
    });
  return [made, ...ids.filter((id) => id !== made)];
}

export async function listTaps(engine: Engine): Promise<readonly TapRow[]> {
  const facts = await readFacts(engine.machine, engine.newToken());
  return facts.links.filter(({ tun }) => tun?.type === 'tap').map((link) => rowOf(engine, link));
}

function rowOf(engine: Engine, { ifname, tun, master, flags, ifalias }: LinkFact): TapRow {
  const change = madeHere(engine, ifname).find(({ marks }) => marks.includes(ifalias))?.id;
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

/** Changes of `tap add` in this network namespace, newest first, with the marks of the links that they made. */
function madeHere(
  engine: Engine,
  name: string,
): readonly { readonly id: string; readonly marks: readonly (string | undefined)[] }[] {
  const mine = openChanges(engine).flatMap(({ change: { id, journal } }) => {
    if (journal?.head.title !== titleOf(name) || journal.head.netns !== engine.world.netns) return [];
    const marks = journal.entries.flatMap(({ owns }) =>
      owns !== undefined && 'link' in owns && owns.alias !== undefined ? [owns.alias] : [],
    );
    return [{ id, marks }];
  });
  return mine.reverse();
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

/** `gone`: changes that made another tap of that name. */
function foreign({ name, ours, used }: TapRow, gone: readonly string[]): QlaunchError {
  return new QlaunchError('QL_TAP_FOREIGN', EXIT.refused, {
    what: `the tap ${name} was not made by qlaunch tap add`,
    why: [
      ours && used
        ? 'it belongs to a running VM and goes away with it'
        : ours
          ? 'it has a mark of qlaunch, but no change that can be read tells of it, and no process has it open'
          : 'somebody else made it',
      ...(gone.length === 0 ? [] : ['the one that was is gone']),
    ],
    todo: [
      ...gone.map((id) => `sudo qlaunch undo ${id}   # forgets the one that is gone`),
      ...(ours && used
        ? ['qlaunch ps']
        : [
            ...(ours ? ['qlaunch changes'] : []),
            `sudo ip link delete dev ${shellWord(name)}   # if it is yours`,
          ]),
    ],
  });
}
