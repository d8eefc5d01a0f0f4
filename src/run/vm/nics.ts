/** MACs: given, else as first used, else derived; never two alike in one VM, never one of another VM of ours. */
import { EXIT, QlaunchError } from '../../errors.ts';
import { type MacTable, machineId } from '../../host/vm/macs.ts';
import { type Mac, parseMac } from '../../spec/mac.ts';
import { isProblem } from '../../spec/raw.ts';
import { stableMac } from '../../spec/stable-mac.ts';
import type { VmSpec } from '../../spec/vm-spec.ts';
import { alive, type VmStatus } from './status.ts';

export interface ChosenMacs {
  /** By NIC id. */
  readonly macs: Readonly<Record<string, Mac>>;
  /** What to record; undefined when nothing is new. */
  readonly record?: MacTable;
  /** Worth a line to the user. */
  readonly notes: readonly string[];
}

/** MAC → the running VM that has it. */
export type LivingMacs = ReadonlyMap<string, string>;

export function livingMacs(vms: readonly VmStatus[]): LivingMacs {
  return new Map(
    vms.filter(alive).flatMap(({ record }) => record.nics.map(({ mac }) => [mac, record.name] as const)),
  );
}

/**
 * A second running VM of one image gets other MACs, which are not recorded: they are not the image's.
 * @param living of our other VMs
 */
export function chooseMacs(spec: VmSpec, uid: number, known: MacTable, living: LivingMacs): ChosenMacs {
  const owner = macOwner(uid, spec.identity);
  const own = known[owner] ?? {};
  const taken = new Set(
    Object.entries(known).flatMap(([other, macs]) => (other === owner ? [] : Object.values(macs))),
  );
  for (const { mac } of spec.nets) if (mac !== undefined) taken.add(mac);
  const macs: Record<string, Mac> = {};
  const added: Record<string, string> = {};
  const notes: string[] = [];
  for (const { id, mac } of spec.nets) {
    const usual = mac ?? recorded(own[id], taken) ?? derive(spec.identity, uid, id, taken);
    const holder = living.get(usual);
    const chosen =
      mac === undefined && holder !== undefined
        ? derive(spec.identity, uid, id, new Set([...taken, ...living.keys()]))
        : usual;
    macs[id] = chosen;
    taken.add(chosen);
    if (holder !== undefined) notes.push(sameMac(id, usual, chosen, holder));
    else if (mac === undefined && own[id] !== chosen) added[id] = chosen;
  }
  return Object.keys(added).length === 0
    ? { macs, notes }
    : { macs, notes, record: { ...known, [owner]: { ...own, ...added } } };
}

function sameMac(id: string, usual: Mac, chosen: Mac, holder: string): string {
  const other = `the running VM "${holder}" has ${usual}`;
  return usual === chosen
    ? `${id}: ${other} too; on one network neither works: leave mac= out, or give another one`
    : `${id}: ${other}, so this one has ${chosen} (mac= gives it one of its own)`;
}

/** Whose row of the table. */
export function macOwner(uid: number, identity: string): string {
  return `${uid}:${identity}`;
}

/**
 * The table as it is now with `owner`'s row as it was chosen; between the two others may have written theirs.
 * Errors: QL_MAC_TAKEN when another VM has got one of the chosen MACs meanwhile.
 */
export function mergeMacs(now: MacTable, chosen: MacTable, owner: string): MacTable {
  const row = { ...now[owner], ...chosen[owner] };
  for (const [other, macs] of Object.entries(now)) {
    const mac = other === owner ? undefined : Object.values(macs).find((taken) => isIn(row, taken));
    if (mac === undefined) continue;
    throw new QlaunchError('QL_MAC_TAKEN', EXIT.refused, {
      what: `the MAC address ${mac} has just been given to another VM`,
      why: [`${other.slice(other.indexOf(':') + 1)} was started at the same time`],
      todo: ['start it again: it then gets another one'],
    });
  }
  return { ...now, [owner]: row };
}

const isIn = (row: Readonly<Record<string, string>>, mac: string): boolean =>
  Object.values(row).includes(mac);

function recorded(text: string | undefined, taken: ReadonlySet<string>): Mac | undefined {
  if (text === undefined || taken.has(text)) return undefined;
  const mac = parseMac(text, 'macs.json');
  return isProblem(mac) ? undefined : mac;
}

function derive(identity: string, uid: number, nicId: string, taken: ReadonlySet<string>): Mac {
  for (let salt = 0; ; salt += 1) {
    const mac = stableMac({ machineId: machineId(), uid, identity, nicId, salt });
    if (!taken.has(mac)) return mac;
  }
}
