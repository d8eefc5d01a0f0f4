/** qlaunch tap add | del | list: taps that root prepares once, and users' VMs open without any right. */
import { EXIT, QlaunchError } from '../../errors.ts';
import { readFacts } from '../../host/facts.ts';
import { identity, type User, userNamed } from '../../host/vm/user.ts';
import { planJson, renderPlan } from '../../plan/render.ts';
import type { TapWish } from '../../plan/tap/managed.ts';
import type { Engine } from '../../run/engine.ts';
import { openEngine } from '../../run/open-engine.ts';
import { planUndo } from '../../run/recover.ts';
import {
  addTap,
  changesToUndo,
  delTap,
  listTaps,
  preparedPlan,
  type TapRow,
} from '../../run/tap/prepared.ts';
import { parseIfName, parseNewIfName } from '../../spec/ifname.ts';
import { parseWhole } from '../../spec/number.ts';
import { Gathering, type Problem } from '../../spec/raw.ts';
import { planned, told } from '../changes.ts';
import { requireRoot } from '../root.ts';
import { advise, json, note, out, table } from '../terminal.ts';

declare const QLAUNCH_VERSION: string;

const engineNow = (): Engine => openEngine({ tool: `qlaunch ${QLAUNCH_VERSION}` });

const ROOTS = 'only root may make and remove taps';

interface Show {
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

export interface AddOptions extends Show {
  readonly user?: string;
  readonly bridge?: string;
  readonly queues?: string;
  readonly mtu?: string;
}

export async function add(name: string, options: AddOptions): Promise<number> {
  if (options.dryRun !== true) requireRoot(ROOTS);
  const user = options.user === undefined ? identity(process.env).user : findUser(options.user);
  const wish = readWish(name, user.uid, options);
  const engine = engineNow();
  if (options.dryRun === true) {
    const { plan } = preparedPlan(engine, wish);
    const planned = plan(await readFacts(engine.machine, engine.newToken()));
    if (options.json === true) json(planJson(planned));
    else out(renderPlan(planned).trimEnd());
    return EXIT.ok;
  }
  await addTap(engine, wish);
  if (options.json === true) json({ name, user: user.name, bridge: wish.bridge ?? null });
  else
    advise(
      [
        `${name} is there for ${user.name}${wish.bridge === undefined ? ', in no bridge' : ` on ${wish.bridge}`}, until the next boot`,
        `  use    qlaunch IMAGE --net tap:${name}${wish.queues > 1 ? `,queues=${wish.queues}` : ''}`,
        `  undo   sudo qlaunch tap del ${name}`,
      ].join('\n'),
    );
  return EXIT.ok;
}

export interface DelOptions extends Show {
  readonly force?: boolean;
}

export async function del(name: string, options: DelOptions): Promise<number> {
  const engine = engineNow();
  const force = options.force === true;
  if (options.dryRun === true)
    return planned(
      (await changesToUndo(engine, name, force)).map((id) => planUndo(engine, id)),
      options,
    );
  requireRoot(ROOTS);
  return told(await delTap(engine, name, force), options);
}

export async function list(options: Show): Promise<number> {
  const taps = await listTaps(engineNow());
  if (options.json === true) json(taps);
  else if (taps.length === 0) note('this host has no tap');
  else out(table(['TAP', 'USER', 'BRIDGE', 'STATE', 'QUEUES', 'MADE BY'], taps.map(columns)));
  return EXIT.ok;
}

function columns({ name, user, group, bridge, up, used, severalQueues, change, ours }: TapRow): string[] {
  const owner = user ?? (group === undefined ? '-' : `group ${group}`);
  const state = used ? 'in use' : up ? 'ready' : 'down';
  const maker = change !== undefined ? 'qlaunch tap add' : ours ? 'qlaunch' : '-';
  return [name, owner, bridge ?? '-', state, severalQueues ? 'several' : '1', maker];
}

/** Errors: QL_NO_USER. */
function findUser(key: string): User {
  const user = userNamed(key);
  if (user !== undefined) return user;
  throw new QlaunchError('QL_NO_USER', EXIT.usage, {
    what: `there is no user "${key}"`,
    todo: ['getent passwd'],
  });
}

function readWish(name: string, uid: number, { bridge, queues, mtu }: AddOptions): TapWish {
  const gathering = new Gathering();
  gathering.take(parseNewIfName(name, 'NAME'));
  if (bridge !== undefined) gathering.take(parseIfName(bridge, '--bridge'));
  // MAX_TAP_QUEUES in linux/drivers/net/tun.c.
  const count = queues === undefined ? 1 : (gathering.take(parseWhole(queues, '--queues', 1, 256)) ?? 1);
  const size = mtu === undefined ? undefined : gathering.take(parseWhole(mtu, '--mtu', 68, 65_521));
  if (mtu !== undefined && bridge !== undefined)
    gathering.refuse('--mtu', 'a tap on a bridge has the MTU of the bridge');
  if (gathering.problems.length > 0) throw wrong(gathering.problems);
  return {
    name,
    uid,
    queues: count,
    ...(bridge === undefined ? {} : { bridge }),
    ...(size === undefined ? {} : { mtu: size }),
  };
}

function wrong(problems: readonly Problem[]): QlaunchError {
  return new QlaunchError('QL_USAGE', EXIT.usage, {
    what: 'cannot make this tap',
    why: problems.map(({ at, what, hint }) => `${at}: ${what}${hint === undefined ? '' : ` (${hint})`}`),
  });
}
