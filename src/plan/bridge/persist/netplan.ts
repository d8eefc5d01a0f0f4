/**
 * A bridge of netplan: a YAML file of ours, beside those that are there. Files are merged key by key, and lists are
 * joined (netplan(5)): so what the NIC has above Ethernet is commented out where it is, and written for the bridge as
 * it was. netplan says not everything that the programs behind it can: the rest is drop-ins for networkd.
 */
import { entry, renderSections, type Section } from '../../../spec/bridge/sections.ts';
import { type Block, readFlow, textAt } from '../../../spec/bridge/yaml-block.ts';
import { besideNetplan, isInModel, modelLines } from './model/netplan.ts';
import { blocksOf, type Definition, definitions, isOf, refuseShared } from './netplan-entry.ts';
import {
  type ConfigFile,
  cannotPersist,
  delayOf,
  headOf,
  type KeptFile,
  MARK,
  type PersistWish,
  refuseUnsaid,
} from './wish.ts';

export interface NetplanFacts {
  /** Of /etc/netplan, /run/netplan and /lib/netplan those that count, in the order of their names. */
  readonly files: readonly ConfigFile[];
  /** Of the NIC's lease (iaidOf in networkd.ts). */
  readonly iaid?: number;
}

const DIR = '/etc/netplan';
const DROP_INS = '/etc/systemd/network';

/** Throws QL_PERSIST (exit 3). */
export function netplanFiles(wish: PersistWish, facts: NetplanFacts): readonly KeptFile[] {
  const { name, uplink, mac, mtu } = wish;
  const all = facts.files.map((file) => ({ file, blocks: blocksOf(name, file) }));
  const own = all.flatMap(({ file, blocks }) => definitions(file, blocks));
  const there = own.find(({ way }) => way[2].key === name);
  if (there !== undefined)
    throw cannotPersist(name, [`${there.file.path} has ${name} already`], [`edit ${there.file.path}`]);
  if (uplink !== undefined) refuseShared(name, uplink, mac, own);
  const found = uplink === undefined ? [] : own.filter((one) => isOf(one, uplink, mac));
  // Lists are not looked into: both families are said anew.
  const isSaid = found.length === 0 || wish.instead !== undefined;
  if (isSaid) refuseUnsaid(wish, false);
  const ids = [...new Set(found.map(({ way }) => way[2].key))];
  if (ids.length > 1)
    throw cannotPersist(
      name,
      [`${uplink} is both ${ids.join(' and ')} in ${DIR}`],
      [`make it one in ${DIR}`],
    );
  const moved = found.map((one) => ({ ...one, ...partsOf(name, one) }));
  refuseTwice(name, moved);
  const renderer = rendererOf(
    all.map(({ blocks }) => blocks),
    moved,
  );
  const kept = moved.flatMap(({ above }) => above.filter(({ key }) => !isInModel(wish, key)));
  const keys = new Set(kept.map(({ key }) => key));
  const lines = [
    headOf(name, 'removes this file'),
    'network:',
    '  version: 2',
    ...(uplink === undefined ? [] : portLines(ids[0] ?? uplink, found, renderer, mtu)),
    '  bridges:',
    `    ${name}:`,
    `      interfaces: [${uplink === undefined ? '' : quoted(ids[0] ?? uplink)}]`,
    ...(mac === undefined ? [] : [`      macaddress: "${mac}"`]),
    ...(mtu === undefined ? moved.flatMap(({ mtuLines }) => mtuLines) : [`      mtu: ${mtu}`]),
    '      parameters:',
    `        stp: ${wish.stp === true}`,
    `        forward-delay: ${delayOf(wish)}`,
    ...kept.flatMap((part) => part.lines),
    ...(isSaid ? modelLines(wish, found.length > 0, keys) : []),
    ...(found.length > 0 ? metricLines(keys, moved, renderer) : []),
  ];
  return [
    { path: `${DIR}/90-qlaunch-${name}.yaml`, content: `${lines.join('\n')}\n`, mode: 0o600 },
    ...dropIns(wish, facts, renderer, keys, isSaid ? besideNetplan(wish, renderer, found.length > 0) : []),
    // Last: whatever ends this halfway, the host has an address at boot.
    ...facts.files.flatMap((file) => {
      const [mine] = moved.filter((one) => one.file === file);
      return mine === undefined || mine.above.length === 0
        ? []
        : [{ path: file.path, content: mine.without }];
    }),
  ];
}

/** Of the NIC itself; all else it has is above Ethernet. */
const STAYS: ReadonlySet<string> = new Set([
  ...['match', 'set-name', 'wakeonlan', 'emit-lldp', 'macaddress', 'mtu', 'renderer', 'openvswitch'],
  ...['optional', 'ignore-carrier', 'activation-mode', 'auth', 'networkmanager', 'infiniband-mode'],
  ...['receive-checksum-offload', 'transmit-checksum-offload', 'tcp-segmentation-offload'],
  ...['tcp6-segmentation-offload', 'generic-segmentation-offload', 'generic-receive-offload'],
  ...['large-receive-offload', 'link', 'id', 'interfaces', 'parameters'],
  ...['virtual-function-count', 'embedded-switch-mode', 'delay-virtual-functions-rebind'],
]);

interface Part {
  readonly key: string;
  /** For the bridge, at its depth. */
  readonly lines: readonly string[];
}

interface Parts {
  readonly above: readonly Part[];
  readonly mtuLines: readonly string[];
  /** The file without them. */
  readonly without: string;
}

const DEPTH = ' '.repeat(6);

function partsOf(bridge: string, { file, way }: Definition): Parts {
  const [, , one] = way;
  const lines = file.content.split('\n');
  const flow = readFlow(one.inline);
  if (one.inline !== '' && flow === undefined)
    throw cannotPersist(
      bridge,
      [`${file.path}:${one.from + 1} is written in a way that is not read: ${one.inline}`],
      [`write ${one.key} in ${file.path} with one key in each line`],
    );
  const linesOf = ({ from, to, indent }: Block): readonly string[] =>
    lines
      .slice(from, to)
      .map((line) =>
        line.trim() === '' ? line : `${DEPTH}${line.slice(Math.min(indent, line.search(/\S/)))}`,
      );
  const parts: readonly Part[] =
    flow?.map(([key, value]) => ({ key, lines: [`${DEPTH}${key}: ${value}`] })) ??
    one.children.map((child) => ({ key: child.key, lines: linesOf(child) }));
  const above = parts.filter(({ key }) => !STAYS.has(key));
  const alias = above.flatMap((part) => part.lines).find((line) => /(^|[\s[{,])[&*][\w-]|<<:/.test(line));
  if (alias !== undefined)
    throw cannotPersist(
      bridge,
      [`${file.path}: "${alias.trim()}" names another part of the file`],
      [`write it out in ${file.path}`],
    );
  const mtuLines = parts.filter(({ key }) => key === 'mtu').flatMap((part) => part.lines);
  return { above, mtuLines, without: without(lines, way, flow) };
}

/** A key that has nothing left goes as well: netplan wants a mapping there. */
function without(
  lines: readonly string[],
  [network, kind, one]: Definition['way'],
  flow: ReturnType<typeof readFlow>,
): string {
  const out = new Map<number, string | undefined>();
  const remove = ({ from, to }: { from: number; to: number }): void => {
    for (let at = from; at < to; at += 1) if ((lines[at] ?? '').trim() !== '') out.set(at, undefined);
  };
  const stays = flow?.filter(([key]) => STAYS.has(key)) ?? [];
  if (flow !== undefined && stays.length > 0) {
    const text = stays.map(([key, value]) => `${key}: ${value}`).join(', ');
    out.set(one.from, `${' '.repeat(one.indent)}${one.key}: {${text}}`);
  }
  for (const child of one.children) if (!STAYS.has(child.key)) remove(child);
  if (stays.length === 0 && one.children.every(({ key }) => !STAYS.has(key))) {
    remove({ from: one.from, to: flow === undefined ? one.from + 1 : one.to });
    if (kind.children.length === 1) remove({ from: kind.from, to: kind.from + 1 });
    if (kind.children.length === 1 && network.children.length === 1)
      remove({ from: network.from, to: network.from + 1 });
  }
  return lines
    .flatMap((line, at) => {
      if (!out.has(at)) return [line];
      const instead = out.get(at);
      return [`${MARK}${line}`, ...(instead === undefined ? [] : [instead])];
    })
    .join('\n');
}

function refuseTwice(bridge: string, moved: readonly (Definition & Parts)[]): void {
  const seen = new Map<string, string>();
  for (const { file, above } of moved)
    for (const { key } of above) {
      const first = seen.get(key);
      if (first !== undefined)
        throw cannotPersist(
          bridge,
          [`${key} of the NIC is in ${first} and in ${file.path}, and netplan joins the two`],
          [`write it in one of them`],
        );
      seen.set(key, file.path);
    }
}

/** The NIC's own word, else the last file's. */
function rendererOf(files: readonly (readonly Block[])[], moved: readonly Definition[]): string {
  const global = files
    .flat()
    .filter(({ key }) => key === 'network')
    .flatMap((network) => textAt(network, ['renderer']) ?? []);
  const own = moved.flatMap(({ way }) => textAt(way[2], ['renderer']) ?? textAt(way[1], ['renderer']) ?? []);
  return (own.at(-1) ?? global.at(-1) ?? 'networkd').toLowerCase();
}

function portLines(
  id: string,
  found: readonly Definition[],
  renderer: string,
  mtu: number | undefined,
): readonly string[] {
  const kind = found[0]?.way[1].key ?? 'ethernets';
  const own = found.some(({ way }) => textAt(way[2], ['renderer']) !== undefined);
  return [
    `  ${kind}:`,
    `    ${quoted(id)}:`,
    ...(own ? [`      renderer: ${renderer === 'networkd' ? renderer : 'NetworkManager'}`] : []),
    ...(mtu === undefined ? [] : [`      mtu: ${mtu}`]),
    ...['dhcp4: false', 'dhcp6: false', 'accept-ra: false', 'link-local: []'].map(
      (line) => `${DEPTH}${line}`,
    ),
  ];
}

const quoted = (id: string): string => (/^[A-Za-z][\w.-]*$/.test(id) ? id : JSON.stringify(id));

/** NetworkManager gives routes of bridges the metric 425, those of a NIC 100. */
function metricLines(
  keys: ReadonlySet<string>,
  moved: readonly (Definition & Parts)[],
  renderer: string,
): readonly string[] {
  const own = moved.some(({ way }) => textAt(way[2], ['renderer']) !== undefined);
  return [
    ...(own ? [`${DEPTH}renderer: ${renderer === 'networkd' ? renderer : 'NetworkManager'}`] : []),
    ...(renderer !== 'networkd' && keys.has('dhcp4') && !keys.has('dhcp4-overrides')
      ? [`${DEPTH}dhcp4-overrides:`, `${DEPTH}  route-metric: 100`]
      : []),
  ];
}

function dropIns(
  { name, vlanAware }: PersistWish,
  { iaid }: NetplanFacts,
  renderer: string,
  keys: ReadonlySet<string>,
  beside: readonly Section[],
): readonly KeptFile[] {
  if (vlanAware === true && renderer !== 'networkd')
    throw cannotPersist(
      name,
      ['netplan can make no VLAN-aware bridge of NetworkManager’s'],
      ['without --vlan-aware'],
    );
  const head = `${headOf(name, 'removes this file')}\n`;
  const file = (kind: string, lines: string): KeptFile => ({
    path: `${DROP_INS}/10-netplan-${name}.${kind}.d/qlaunch.conf`,
    content: `${head}${lines}`,
  });
  // networkd makes it from the link's name, and netplan has no word for it.
  const isKept = iaid !== undefined && keys.has('dhcp4') && !keys.has('dhcp-identifier');
  const sections: readonly Section[] = [
    { name: 'DHCPv4', entries: renderer === 'networkd' && isKept ? [entry('IAID', iaid)] : [] },
    {
      name: 'DHCPv6',
      entries:
        renderer === 'networkd' && iaid !== undefined && keys.has('dhcp6') ? [entry('IAID', iaid)] : [],
    },
    ...beside,
  ];
  const network = renderSections(sections);
  return [
    ...(vlanAware === true ? [file('netdev', '[Bridge]\nVLANFiltering=yes\n')] : []),
    ...(network === '' ? [] : [file('network', network)]),
  ];
}
