/** Functions from the host's drivers to vfio-pci, or to none. */
import type { FileOwner, Step } from '../step.ts';
import { DEADLINE_MS } from '../step.ts';
import { groupOf, type PciFunction, type VfioFacts } from './facts.ts';

export const VFIO_DRIVER = 'vfio-pci';

/** Several writes, each with its own limit, and the interface that comes back. */
const REBIND_MS = 40_000;

export interface BindWish {
  readonly functions: readonly PciFunction[];
  /** May open the groups; all devices of a group are that user's then. */
  readonly owner?: FileOwner;
  readonly facts: VfioFacts;
  /** It gives device nodes their rights some time after they came. */
  readonly udev: boolean;
}

/** Functions that are bound to VFIO already are left as they are, now and later. */
export function planBind(wish: BindWish): readonly Step[] {
  const { functions, facts } = wish;
  const take = functions.filter(({ vfio }) => !vfio);
  return [
    ...(take.length === 0 ? [] : modules(facts)),
    ...take.map((one) => rebindStep(one, VFIO_DRIVER)),
    ...nodes(wish),
  ];
}

export function planUnbind(functions: readonly PciFunction[]): readonly Step[] {
  return functions.filter(({ driver }) => driver !== undefined).map((one) => rebindStep(one, null));
}

function rebindStep(one: PciFunction, to: string | null): Step {
  const from = one.driver === undefined ? '' : ` from ${one.driver}`;
  return {
    title: to === null ? `take ${one.address}${from}` : `give ${one.address}${from} to ${to}`,
    do: { rebind: one.address, to },
    undo: { restore: true },
    deadlineMs: REBIND_MS,
  };
}

/** vfio-pci alone does not pull in the type 1 IOMMU backend. */
function modules({ modules: { pci, type1 } }: VfioFacts): readonly Step[] {
  const missing = [...(pci ? [] : ['vfio-pci']), ...(type1 ? [] : ['vfio_iommu_type1'])];
  return missing.map((name) => ({
    title: `load ${name}`,
    do: { run: ['modprobe', name] },
    undo: { nothing: 'the module stays: it does nothing until a device is given to it' },
    deadlineMs: DEADLINE_MS,
  }));
}

function nodes({ functions, facts, owner, udev }: BindWish): readonly Step[] {
  if (owner === undefined || owner.uid === 0) return [];
  const ids = [...new Set(functions.flatMap(({ group }) => group ?? []))].sort((a, b) => a - b);
  const settle: Step = {
    title: 'wait for udev, which sets rights of its own',
    do: { run: ['udevadm', 'settle', '--timeout=5'] },
    undo: { nothing: 'only waits' },
    deadlineMs: DEADLINE_MS,
  };
  const wanted = ids.filter((id) => !mayOpen(id, owner, functions, facts));
  if (wanted.length === 0) return [];
  return [...(udev ? [settle] : []), ...wanted.map((id) => chown(id, owner, functions, facts))];
}

/** Prepared before: then whoever starts the VM needs no right for it. */
function mayOpen(id: number, owner: FileOwner, functions: readonly PciFunction[], facts: VfioFacts): boolean {
  const stays = functions.every(({ group, vfio }) => group !== id || vfio);
  return stays && facts.groups.find((group) => group.id === id)?.node?.uid === owner.uid;
}

function chown(id: number, owner: FileOwner, functions: readonly PciFunction[], facts: VfioFacts): Step {
  const path = `/dev/vfio/${id}`;
  const of = functions.find(({ group }) => group === id);
  const node = of === undefined ? undefined : groupOf(facts, of)?.node;
  return {
    title: `let user ${owner.uid} open group ${id}`,
    do: { run: ['chown', `${owner.uid}:${owner.gid}`, path] },
    undo:
      node === undefined
        ? { nothing: 'the node goes away with the last device of the group' }
        : { run: ['chown', `${node.uid}:${node.gid}`, path], gone: ['No such file or directory'] },
    deadlineMs: DEADLINE_MS,
  };
}
