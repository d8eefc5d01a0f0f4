/** Virtual functions: making them, choosing one, and what the administrator sets for it on the physical one. */
import { EXIT, QlaunchError } from '../../errors.ts';
import { type Argv, DEADLINE_MS, type Step } from '../step.ts';
import { functionAt, type Netdev, type PciFunction, type VfAdmin, type VfioFacts } from './facts.ts';

export interface VfSettings {
  readonly mac?: string;
  readonly vlan?: number;
  readonly qos?: number;
  /** Mbit/s; 0 none. */
  readonly rate?: number;
  readonly spoofchk?: boolean;
  readonly trust?: boolean;
}

/** Making many takes a driver a while; the firmware too. */
const NUMVFS_MS = 120_000;

/** Errors: QL_NO_VF (exit 3). */
export function freeVf(
  pf: PciFunction,
  index: number | undefined,
  facts: VfioFacts,
  leased: ReadonlyMap<string, string>,
): PciFunction {
  const all = pf.vfs.flatMap((address) => functionAt(facts, address) ?? []);
  const wanted = index === undefined ? all : all.filter((one) => one.address === pf.vfs[index]);
  const states = wanted.map((one) => ({ one, why: taken(one, facts, leased) }));
  const free = states.filter(({ why }) => why === undefined).map(({ one }) => one);
  const [best] = [...free].sort((a, b) => rank(a) - rank(b));
  if (best !== undefined) return best;
  const named = index === undefined ? 'no virtual function' : `no virtual function ${index}`;
  throw new QlaunchError('QL_NO_VF', EXIT.refused, {
    what: `${pf.address} has ${named} that is free`,
    why:
      states.length === 0
        ? [`it has ${all.length} of ${pf.totalVfs ?? 0}`]
        : states.map(({ one, why }) => `${one.address}: ${why}`),
    todo: [
      ...(all.length === 0 && (pf.totalVfs ?? 0) > 0
        ? [`sudo qlaunch vfio vf create ${pf.address} ${Math.min((index ?? 0) + 1, pf.totalVfs ?? 1)}`]
        : []),
      `qlaunch vfio vf list ${pf.address}`,
    ],
  });
}

/** The less is to be undone, the better. */
const rank = (one: PciFunction): number => (one.vfio ? 0 : one.driver === undefined ? 1 : 2);

/** Why it is not free. */
export function taken(
  one: PciFunction,
  facts: VfioFacts,
  leased: ReadonlyMap<string, string>,
): string | undefined {
  const taker = leased.get(one.address);
  if (taker !== undefined) return `${taker} has it`;
  const holder = facts.holders.find(({ group }) => one.vfio && group === one.group);
  if (holder !== undefined) return `pid ${holder.pid} (${holder.command}) has it open`;
  const claim = facts.claims.find(({ address }) => address === one.address);
  if (claim !== undefined) return `${claim.by} has it`;
  if (one.vfio || one.driver === undefined) return undefined;
  if (one.netdevs.length === 0) return `${one.driver} drives it, perhaps for a container`;
  const dev = facts.netdevs.find(({ name }) => one.netdevs.includes(name));
  const used = dev !== undefined && (dev.up || dev.master !== undefined || dev.addresses.length > 0);
  return used ? `the host uses it as ${dev.name}` : undefined;
}

interface Place {
  readonly dev: string;
  readonly up: boolean;
  readonly index: number;
  readonly before: VfAdmin | undefined;
}

/**
 * Errors (exit 3): QL_NO_PF when the physical function has no interface, by which alone these are set; QL_SWITCHDEV when
 * the card is a switch, whose ports they are set at.
 */
function placeOf(one: PciFunction, facts: VfioFacts): Place {
  const pf = one.pf === undefined ? undefined : functionAt(facts, one.pf);
  const index = pf?.vfs.indexOf(one.address) ?? -1;
  const devs = facts.netdevs.filter(({ name }) => pf?.netdevs.includes(name));
  const ports = devs.filter(({ representor }) => representor !== undefined);
  if (pf !== undefined && ports.length > 0) throw asSwitch(one, pf, ports);
  const dev = devs[0];
  if (pf === undefined || index < 0 || dev === undefined)
    throw new QlaunchError('QL_NO_PF', EXIT.refused, {
      what: `nothing can be set for ${one.address}`,
      why: [
        pf === undefined
          ? 'it is no virtual function'
          : `${pf.address} has no interface (${pf.driver ?? 'no driver'})`,
      ],
      todo:
        one.vfs.length > 0
          ? [`qlaunch vfio vf list ${one.address}   # the first is ${one.address}/vf0`]
          : ['qlaunch vfio list'],
    });
  return { dev: dev.name, up: dev.up, index, before: dev.vfs.find((vf) => vf.index === index) };
}

/** linux/Documentation/networking/switchdev.rst */
function asSwitch(one: PciFunction, pf: PciFunction, ports: readonly Netdev[]): QlaunchError {
  const own = ports.find(({ representor }) => representor === pf.vfs.indexOf(one.address));
  return new QlaunchError('QL_SWITCHDEV', EXIT.refused, {
    what: `nothing can be set for ${one.address} at ${pf.address}`,
    why: [
      `the card is in switchdev mode: what its virtual functions may do is set at the ports of its own switch (${ports.map(({ name }) => name).join(', ')})`,
    ],
    todo: [
      `qlaunch IMAGE --net vfio:${one.address}   # as it is${own === undefined ? '' : `; its port is ${own.name}`}`,
      `sudo devlink dev eswitch set pci/${pf.address} mode legacy   # ends the switch and its virtual functions`,
    ],
  });
}

/** One command each, for a driver refuses them one by one. In the order that most of them take: sriov-cni's. */
export function vfSteps(one: PciFunction, settings: VfSettings, facts: VfioFacts): readonly Step[] {
  const { dev, up, index, before } = placeOf(one, facts);
  const { mac, vlan, qos = 0, rate, spoofchk, trust } = settings;
  const onOff = (value: boolean): string => (value ? 'on' : 'off');
  const step = (words: readonly string[], old: readonly string[] | undefined): Step => {
    const line = (of: readonly string[]): Argv => ['ip', 'link', 'set', 'dev', dev, 'vf', `${index}`, ...of];
    return {
      title: `set ${words.join(' ')} for virtual function ${index} of ${dev}`,
      do: { run: line(words) },
      undo:
        old === undefined
          ? { nothing: 'what it was before is not to be read' }
          : // The virtual function may be gone; and no driver takes back an address of zeros.
            { run: line(old), gone: ['Cannot find device', 'RTNETLINK answers'] },
      owns: { link: dev },
      deadlineMs: DEADLINE_MS,
    };
  };
  const tag = (id: number, priority: number): readonly string[] =>
    priority === 0 ? ['vlan', `${id}`] : ['vlan', `${id}`, 'qos', `${priority}`];
  return [
    ...(up ? [] : [bringUp(dev)]),
    ...(vlan === undefined ? [] : [step(tag(vlan, qos), before && tag(before.vlan, before.qos))]),
    ...(mac === undefined
      ? []
      : [step(['mac', mac], before?.mac === undefined ? undefined : ['mac', before.mac])]),
    ...(rate === undefined
      ? []
      : [step(['max_tx_rate', `${rate}`], before && ['max_tx_rate', `${before.maxRate}`])]),
    ...(spoofchk === undefined
      ? []
      : [
          step(
            ['spoofchk', onOff(spoofchk)],
            before?.spoofchk === undefined ? undefined : ['spoofchk', onOff(before.spoofchk)],
          ),
        ]),
    ...(trust === undefined
      ? []
      : [
          step(
            ['trust', onOff(trust)],
            before?.trust === undefined ? undefined : ['trust', onOff(before.trust)],
          ),
        ]),
  ];
}

/** Cards of Intel carry nothing for a virtual function while the physical one is down. */
function bringUp(dev: string): Step {
  return {
    title: `bring ${dev} up, which carries its virtual functions’ packets`,
    do: { run: ['ip', 'link', 'set', 'dev', dev, 'up'] },
    undo: { run: ['ip', 'link', 'set', 'dev', dev, 'down'], gone: ['Cannot find device'] },
    owns: { link: dev },
    deadlineMs: DEADLINE_MS,
  };
}

/** Errors: QL_NO_SRIOV, QL_VF_COUNT (exit 3). Without the host's drivers on them: they are for guests. */
export function planVfs(pf: PciFunction, count: number): readonly Step[] {
  const max = pf.totalVfs ?? 0;
  if (max === 0)
    throw new QlaunchError('QL_NO_SRIOV', EXIT.refused, {
      what: `${pf.address} can have no virtual functions`,
      why: ['it has no SR-IOV, or it is switched off in the firmware'],
      todo: ['switch on SR-IOV and "Above 4G decoding" in the firmware’s setup', `lspci -vs ${pf.address}`],
    });
  const refuse = (what: string, ...todo: string[]): never => {
    throw new QlaunchError('QL_VF_COUNT', EXIT.refused, {
      what,
      why: [`it has ${pf.vfs.length} of ${max}`],
      todo,
    });
  };
  if (count > max)
    return refuse(
      `${pf.address} can not have ${count} virtual functions`,
      `sudo qlaunch vfio vf create ${pf.address} ${max}`,
    );
  if (pf.vfs.length === count) return [];
  if (pf.vfs.length > 0)
    return refuse(
      `${pf.address} has virtual functions already, and their number can only be changed through none`,
      `sudo qlaunch vfio vf release ${pf.address}`,
    );
  const dir = `/sys/bus/pci/devices/${pf.address}` as const;
  return [
    {
      title: `keep the host’s drivers from new virtual functions of ${pf.address}`,
      do: { write: `${dir}/sriov_drivers_autoprobe`, value: '0' },
      undo: { restore: true },
      deadlineMs: DEADLINE_MS,
    },
    {
      title: `make ${count} virtual functions of ${pf.address}`,
      do: { write: `${dir}/sriov_numvfs`, value: `${count}` },
      undo: { restore: true },
      deadlineMs: NUMVFS_MS,
    },
  ];
}
