/**
 * Attributes and modules that others use as well. One sealed record each: what was there before the first user,
 * what the kernel changed along with it, and who uses it. The last user puts it back, unless somebody else lives
 * on it. The record is written before the attribute, so a kill at any point is finished by the next caller.
 */
import { createHash } from 'node:crypto';
import type { Machine } from '../../host/port.ts';
import type { HostPath } from '../../plan/step.ts';
import { ALONG, IPV6_FORWARD, isAcceptRa } from '../../plan/sysctl.ts';
import type { Engine } from '../engine.ts';
import { isRecord } from '../journal/check.ts';
import { seal, unseal } from '../journal/seal.ts';
import { otherForwarders } from './forwarders.ts';
import { commandOutcome, errorText, type Outcome, sameValue } from './outcome.ts';
import type { UndoOutcome } from './undo-entry.ts';

type Values = Readonly<Record<string, string>>;

export interface SharedRecord {
  readonly v: 1;
  /** "attribute /proc/sys/net/ipv4/ip_forward", "module tun". */
  readonly key: string;
  readonly bootId: string;
  readonly value: string;
  /** Ids of changes. */
  readonly users: readonly string[];
  readonly prior: Values;
  /** Right after our write. Absent: we were killed before we could look. */
  readonly after?: Values;
  /** What it is being put back to. */
  readonly restoring?: Values;
}

const PRESENT = 'present';
const ABSENT = 'absent';

/** Attributes under /proc/sys/net are per network namespace, modules are not. */
function nameOf(key: string, engine: Engine): string {
  const where = key.startsWith('attribute ') ? engine.world.netns : '';
  return `${createHash('sha256').update(`${where}\n${key}`).digest('hex').slice(0, 16)}.shared`;
}

function load(key: string, engine: Engine): SharedRecord | undefined {
  const text = engine.shared.read(nameOf(key, engine));
  if (text === undefined) return undefined;
  const { records, damage } = unseal(text);
  const [record] = records;
  if (damage !== undefined || !isRecord(record) || record['v'] !== 1 || record['key'] !== key) {
    throw new Error(
      `${engine.shared.path(nameOf(key, engine))} can not be believed: ${damage ?? 'unknown format'}`,
    );
  }
  return record['bootId'] === engine.world.bootId ? (record as unknown as SharedRecord) : undefined;
}

export const recordPath = (key: string, engine: Engine): string => engine.shared.path(nameOf(key, engine));

/** For the script that must do without us. */
export function recordOf(
  key: string,
  engine: Engine,
): { readonly record: SharedRecord; readonly text: string; readonly path: string } | undefined {
  const record = load(key, engine);
  const name = nameOf(key, engine);
  const text = engine.shared.read(name);
  return record === undefined || text === undefined
    ? undefined
    : { record, text, path: engine.shared.path(name) };
}

const save = (record: SharedRecord, engine: Engine): void =>
  engine.shared.replace(nameOf(record.key, engine), seal([record]));

/** Users none: the record has served. */
function leave(record: SharedRecord, user: string, engine: Engine): void {
  const users = record.users.filter((one) => one !== user);
  if (users.length > 0) save({ ...record, users }, engine);
  else engine.shared.remove(nameOf(record.key, engine));
}

/** A change that is forgotten keeps no attribute, and puts none back. */
export function disown(user: string, engine: Engine): void {
  for (const name of engine.shared.list()) {
    const { records, damage } = unseal(engine.shared.read(name) ?? '');
    const [record] = records;
    if (damage !== undefined || !isRecord(record) || record['v'] !== 1) continue;
    const known = record as unknown as SharedRecord;
    if (name === nameOf(known.key, engine) && known.users.includes(user)) leave(known, user, engine);
  }
}

async function look(path: string, machine: Machine): Promise<Values> {
  const along = ALONG[path];
  const each =
    along === undefined
      ? []
      : ((await machine.list(along.under)) ?? []).map((name) => `${along.under}/${name}/${along.each}`);
  const values: Record<string, string> = {};
  for (const one of [path, ...each, ...(along?.also ?? [])]) {
    const value = await machine.read(one);
    if (value !== undefined) values[one] = value;
  }
  return values;
}

/** What it throws in the middle is in the record: unshare() knows how far it came. */
export async function share(
  wish: { readonly share: HostPath; readonly value: string },
  user: string,
  engine: Engine,
  timeoutMs: number,
): Promise<void> {
  const { share: path, value } = wish;
  const key = `attribute ${path}`;
  const { machine } = engine;
  const found = load(key, engine);
  if (found?.restoring !== undefined) await putBack(found, found.restoring, engine, timeoutMs);
  const old = found?.restoring === undefined ? found : undefined;
  if (old !== undefined && old.value !== value)
    throw new Error(`${path} is kept at ${old.value} for ${old.users.join(', ')}`);
  const now = await look(path, machine);
  if (now[path] === undefined) throw new Error(`${path} does not exist`);
  const prior = old?.prior ?? now;
  const users = [...new Set([...(old?.users ?? []), user])];
  const record: SharedRecord = {
    v: 1,
    key,
    bootId: engine.world.bootId,
    value,
    users,
    prior,
    ...(old?.after === undefined ? {} : { after: old.after }),
  };
  save(record, engine);
  if (sameValue(now[path], value)) return;
  await machine.write(path, value, timeoutMs);
  save({ ...record, after: await look(path, machine) }, engine);
}

export async function shareModule(
  name: string,
  user: string,
  engine: Engine,
  timeoutMs: number,
): Promise<Outcome> {
  const key = `module ${name}`;
  try {
    const old = load(key, engine);
    const prior = old?.prior ?? { [name]: (await isLoaded(name, engine.machine)) ? PRESENT : ABSENT };
    const users = [...new Set([...(old?.users ?? []), user])];
    const record: SharedRecord = { v: 1, key, bootId: engine.world.bootId, value: PRESENT, users, prior };
    save(record, engine);
    const outcome = commandOutcome(await engine.machine.run(['modprobe', name], { timeoutMs }), timeoutMs);
    if (outcome.kind === 'refused') leave(record, user, engine);
    return outcome;
  } catch (error) {
    return { kind: 'unsure', why: errorText(error), timedOut: false };
  }
}

const moduleDirectory = (name: string): string => `/sys/module/${name.replaceAll('-', '_')}`;
const isLoaded = async (name: string, machine: Machine): Promise<boolean> =>
  (await machine.stat(moduleDirectory(name))) !== undefined;

export async function unshare(
  undo: { readonly unshare: string; readonly user: string },
  engine: Engine,
  timeoutMs: number,
): Promise<UndoOutcome> {
  const record = load(undo.unshare, engine);
  if (record === undefined) return { kind: 'undone' };
  if (record.restoring !== undefined) {
    await putBack(record, record.restoring, engine, timeoutMs);
    return { kind: 'undone' };
  }
  const isLast = record.users.every((user) => user === undo.user);
  if (!isLast || record.users.length === 0) {
    leave(record, undo.user, engine);
    return { kind: 'undone' };
  }
  const [kind, ...rest] = record.key.split(' ');
  const name = rest.join(' ');
  return kind === 'module'
    ? unload(name, record, undo.user, engine, timeoutMs)
    : lastLeaves(name, record, undo.user, engine, timeoutMs);
}

async function lastLeaves(
  path: string,
  record: SharedRecord,
  user: string,
  engine: Engine,
  timeoutMs: number,
): Promise<UndoOutcome> {
  const now = await look(path, engine.machine);
  const [current, prior] = [now[path], record.prior[path]];
  const note = await whyLeft(path, current, record, engine);
  const nothingToDo = current === undefined || prior === undefined || sameValue(current, prior);
  if (nothingToDo || note !== undefined) {
    leave(record, user, engine);
    return nothingToDo || note === undefined ? { kind: 'undone' } : { kind: 'undone', note };
  }
  const restoring: Record<string, string> = { ...record.prior };
  for (const [one, value] of Object.entries(now)) {
    const ours = record.after?.[one];
    // A stranger set this one since; the kernel is about to overwrite it.
    if (one !== path && ours !== undefined && ours !== value && one in restoring) restoring[one] = value;
  }
  await putBack(record, restoring, engine, timeoutMs);
  return { kind: 'undone' };
}

async function whyLeft(
  path: string,
  current: string | undefined,
  record: SharedRecord,
  engine: Engine,
): Promise<string | undefined> {
  if (current === undefined) return undefined;
  if (!sameValue(current, record.value))
    return `left alone: ${path} is ${current}, not the ${record.value} we had set`;
  if (isAcceptRa(path) && (await engine.machine.read(IPV6_FORWARD))?.trim() === '1')
    return `left at ${current}: this host still routes IPv6, and would not hear its routers any more`;
  const others = path in ALONG ? await otherForwarders(engine.machine) : [];
  return others.length === 0 ? undefined : `left at ${current}: ${path} is needed by ${others.join(', ')}`;
}

/** First the attribute, which drags others along, then those. */
async function putBack(
  record: SharedRecord,
  restoring: Values,
  engine: Engine,
  timeoutMs: number,
): Promise<void> {
  save({ ...record, users: [], restoring }, engine);
  const path = record.key.slice('attribute '.length);
  const others = Object.keys(restoring).filter((one) => one !== path);
  for (const one of [path, ...others]) {
    const [now, value] = [await engine.machine.read(one), restoring[one]];
    if (now !== undefined && value !== undefined && !sameValue(now, value))
      await engine.machine.write(one, value, timeoutMs);
  }
  engine.shared.remove(nameOf(record.key, engine));
}

async function unload(
  name: string,
  record: SharedRecord,
  user: string,
  engine: Engine,
  timeoutMs: number,
): Promise<UndoOutcome> {
  if (record.prior[name] === ABSENT && (await isLoaded(name, engine.machine))) {
    const used = await engine.machine.read(`${moduleDirectory(name)}/refcnt`);
    if (used !== '0') {
      leave(record, user, engine);
      return { kind: 'undone', note: `left loaded: the module ${name} is in use` };
    }
    const outcome = commandOutcome(
      await engine.machine.run(['modprobe', '-r', name], { timeoutMs }),
      timeoutMs,
    );
    if (outcome.kind !== 'done')
      return { kind: outcome.kind === 'unsure' && outcome.timedOut ? 'stuck' : 'left', why: outcome.why };
  }
  leave(record, user, engine);
  return { kind: 'undone' };
}
