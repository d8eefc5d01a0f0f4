/** Which functions a selector means on this machine. Never a guess: two that fit are an error that lists them. */
import { EXIT, QlaunchError } from '../../errors.ts';
import type { Selector } from '../../spec/vfio/selector.ts';
import { functionAt, type Netdev, netdevNamed, type PciFunction, type VfioFacts } from './facts.ts';

/** Where a name that is gone since the device was bound is still known: netdev → address. */
export type KnownNames = ReadonlyMap<string, string>;

/** In the order of addresses; never empty. Throws QL_NO_DEVICE, QL_AMBIGUOUS (exit 2), QL_NOT_PCI (exit 3). */
export function select(
  selector: Selector,
  facts: VfioFacts,
  known: KnownNames = new Map(),
): readonly PciFunction[] {
  if (selector.kind === 'address') return [found(functionAt(facts, selector.address), selector, facts)];
  if (selector.kind === 'slot') {
    const all = facts.functions.filter(({ address }) => address.startsWith(`${selector.slot}.`));
    return all.length > 0 ? all : [found(undefined, selector, facts)];
  }
  if (selector.kind === 'netdev') return [byName(selector, facts, known)];
  if (selector.kind === 'mac') return [byMac(selector, facts)];
  if (selector.kind === 'id') return [byId(selector, facts)];
  return [byVf(selector, facts, known)];
}

export function selectOne(selector: Selector, facts: VfioFacts, known: KnownNames = new Map()): PciFunction {
  const all = select(selector, facts, known);
  return only(all, selector, facts);
}

type Of<Kind extends Selector['kind']> = Extract<Selector, { readonly kind: Kind }>;

function byName(selector: Of<'netdev'>, facts: VfioFacts, known: KnownNames): PciFunction {
  const { name } = selector;
  const dev = netdevNamed(facts, name);
  if (dev !== undefined) return behind(dev, facts);
  const address = known.get(name);
  return found(address === undefined ? undefined : functionAt(facts, address), selector, facts);
}

/** Throws QL_NOT_PCI: the first PCI device above a USB NIC is the controller of all that is plugged in there. */
function behind(dev: Netdev, facts: VfioFacts): PciFunction {
  const one = dev.function === undefined ? undefined : functionAt(facts, dev.function);
  if (one !== undefined) return one;
  const ports = facts.netdevs.filter(({ name, master }) => master === dev.name || dev.lower === name);
  throw new QlaunchError('QL_NOT_PCI', EXIT.refused, {
    what: `${dev.name} is no PCI device that could be passed on`,
    why: [
      dev.notPci ?? `it is a ${dev.kind ?? 'virtual interface'}`,
      ...(ports.length === 0 ? [] : [`its ports: ${ports.map(({ name }) => name).join(', ')}`]),
    ],
    todo: ['qlaunch vfio list'],
  });
}

function byMac(selector: Of<'mac'>, facts: VfioFacts): PciFunction {
  const devs = facts.netdevs.filter(
    (dev) => dev.function !== undefined && (dev.mac ?? dev.address) === selector.mac,
  );
  return only(
    devs.map((dev) => behind(dev, facts)),
    selector,
    facts,
  );
}

function byId(selector: Of<'id'>, facts: VfioFacts): PciFunction {
  const all = facts.functions.filter((one) =>
    [one.vendor, one.device, one.subVendor, one.subDevice]
      .slice(0, selector.ids.length)
      .every((id, index) => id === selector.ids[index]),
  );
  if (selector.nth === undefined) return only(all, selector, facts);
  return found(all[selector.nth], selector, facts);
}

function byVf(selector: Of<'vf'>, facts: VfioFacts, known: KnownNames): PciFunction {
  const pf = selectOne(selector.pf, facts, known);
  const { index } = selector;
  if (index === undefined)
    throw new QlaunchError('QL_AMBIGUOUS', EXIT.usage, {
      what: `${selector.text} means any virtual function, and one is needed`,
      why: vfsOf(pf),
      todo: [`qlaunch vfio vf list ${pf.address}`, `write ${selector.text}0 for the first`],
    });
  const address = pf.vfs[index];
  if (address === undefined)
    throw new QlaunchError('QL_NO_DEVICE', EXIT.usage, {
      what: `${pf.address} has no virtual function ${index}`,
      why: vfsOf(pf),
      todo:
        pf.vfs.length === 0 && index < (pf.totalVfs ?? 0)
          ? [`sudo qlaunch vfio vf create ${pf.address} ${index + 1}`]
          : [pf.vfs.length > 0 ? `qlaunch vfio vf list ${pf.address}` : 'qlaunch vfio list'],
    });
  return found(functionAt(facts, address), selector, facts);
}

function vfsOf(pf: PciFunction): readonly string[] {
  if (pf.totalVfs === undefined) return [`${pf.address} can have no virtual functions`];
  return [`it has ${pf.vfs.length} of ${pf.totalVfs}: ${pf.vfs.join(', ') || 'none'}`];
}

function only(all: readonly PciFunction[], selector: Selector, facts: VfioFacts): PciFunction {
  const [one, another] = all;
  if (one === undefined || another === undefined) return found(one, selector, facts);
  throw new QlaunchError('QL_AMBIGUOUS', EXIT.usage, {
    what: `${selector.text} fits ${all.length} devices`,
    why: all.map((each) => describe(each)),
    todo: ['name one by its address'],
  });
}

function found(one: PciFunction | undefined, { text, kind }: Selector, facts: VfioFacts): PciFunction {
  if (one !== undefined) return one;
  const nics = facts.functions.filter(({ pciClass }) => pciClass.startsWith('02')).map(describe);
  throw new QlaunchError('QL_NO_DEVICE', EXIT.usage, {
    what: kind === 'netdev' ? `there is no interface ${text}` : `there is no PCI device ${text}`,
    why: nics.length === 0 ? ['this host has no PCI NIC'] : ['the PCI NICs of this host:', ...nics],
    todo: ['qlaunch vfio list'],
  });
}

/** "0000:81:00.0 8086:1572 (i40e, ens1f0)". */
export function describe(one: PciFunction): string {
  const about = [one.driver ?? 'no driver', ...one.netdevs, ...one.blocks.map(({ name }) => name)].join(', ');
  return `${one.address} ${one.vendor}:${one.device} (${about})`;
}
