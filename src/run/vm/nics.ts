/** MACs: given, else as first used, else derived; never two alike in one VM, never one of another VM of ours. */
import { type MacTable, machineId } from '../../host/vm/macs.ts';
import { type Mac, parseMac } from '../../spec/mac.ts';
import { isProblem } from '../../spec/raw.ts';
import { stableMac } from '../../spec/stable-mac.ts';
import type { VmSpec } from '../../spec/vm-spec.ts';

export interface ChosenMacs {
  /** By NIC id. */
  readonly macs: Readonly<Record<string, Mac>>;
  /** What to record; undefined when nothing is new. */
  readonly record?: MacTable;
}

export function chooseMacs(spec: VmSpec, uid: number, known: MacTable): ChosenMacs {
  const owner = `${uid}:${spec.identity}`;
  const own = known[owner] ?? {};
  const taken = new Set(
    Object.entries(known).flatMap(([other, macs]) => (other === owner ? [] : Object.values(macs))),
  );
  for (const { mac } of spec.nets) if (mac !== undefined) taken.add(mac);
  const macs: Record<string, Mac> = {};
  const added: Record<string, string> = {};
  for (const { id, mac } of spec.nets) {
    const chosen = mac ?? recorded(own[id], taken) ?? derive(spec.identity, uid, id, taken);
    macs[id] = chosen;
    taken.add(chosen);
    if (mac === undefined && own[id] !== chosen) added[id] = chosen;
  }
  return Object.keys(added).length === 0
    ? { macs }
    : { macs, record: { ...known, [owner]: { ...own, ...added } } };
}

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
