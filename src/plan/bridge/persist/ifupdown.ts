/** A bridge in /etc/network/interfaces: Debian's ifupdown with bridge-utils (bridge-utils-interfaces(5)). */
import { EXIT, QlaunchError } from '../../../errors.ts';
import { bringsUp, readInterfaces, type Stanza, stanzasOf } from '../../../spec/bridge/interfaces.ts';
import { indented, isBeside, modelStanzas, stanzaLines } from './model/ifupdown.ts';
import {
  type ConfigFile,
  delayOf,
  headOf,
  isReplaced,
  MARK,
  type PersistWish,
  refuseUnsaid,
} from './wish.ts';

/**
 * The files that change. What the uplink had is commented out where it was, and given to the bridge below, option by
 * option as it was written. Throws QL_PERSIST (exit 3).
 */
export function ifupdownFiles(wish: PersistWish, files: readonly ConfigFile[]): readonly ConfigFile[] {
  const read = files.map((file) => ({ ...file, stanzas: readInterfaces(file.content) }));
  const all = read.flatMap(({ stanzas }) => stanzas);
  const { name, uplink } = wish;
  if (stanzasOf(all, name).length > 0)
    throw refused(
      name,
      `there is an \`iface ${name}\` already`,
      files.map(({ path }) => path),
    );
  if (uplink === undefined) {
    refuseUnsaid(wish, false);
    const [main] = files;
    return main === undefined ? [] : [append(main, [...head(wish), ...plainStanzas(wish), ...tail(wish)])];
  }
  const mapping = all.find(
    ({ words }) => words[0] === 'mapping' && words.slice(1).some((word) => word === uplink),
  );
  if (mapping !== undefined) throw refused(name, `a \`mapping\` chooses the stanza of ${uplink}`, []);
  const own = stanzasOf(all, uplink);
  refuseUnsaid(wish, true);
  const block = [
    ...head(wish),
    `iface ${uplink} inet manual`,
    `auto ${name}`,
    ...movedStanzas(wish, own),
    ...tail(wish),
  ];
  const first = read.find(({ stanzas }) => stanzasOf(stanzas, uplink).length > 0) ?? read[0];
  // The bridge's first: whatever ends this halfway, the host has an address at boot.
  return read
    .toSorted((a, b) => Number(b === first) - Number(a === first))
    .flatMap((file) => {
      const without = { path: file.path, content: withoutLink(file.content, file.stanzas, uplink) };
      const changed = file === first ? append(without, block) : without;
      return changed.content === file.content ? [] : [changed];
    });
}

/** Whether this is what brings the link up at boot. */
export const isConfigured = (files: readonly ConfigFile[], link: string): boolean =>
  files.some(({ content }) => stanzasOf(readInterfaces(content), link).length > 0);

function refused(name: string, why: string, paths: readonly string[]): QlaunchError {
  return new QlaunchError('QL_PERSIST', EXIT.refused, {
    what: `can not write ${name} into /etc/network/interfaces`,
    why: [why],
    todo: paths.map((path) => `edit ${path}`),
  });
}

const head = ({ name }: PersistWish): readonly string[] => [headOf(name, 'puts back what was here before')];
const tail = ({ name }: PersistWish): readonly string[] => [`# qlaunch: end of ${name}`];

/** iptables-extensions(8): packets that only go through the bridge are none of this host's. */
const PHYSDEV = ['post-up iptables -I', 'pre-down iptables -D'].map(
  (start) => `${start} FORWARD -m physdev --physdev-is-bridged -j ACCEPT`,
);

/** For this bridge only; physdev is for all, and loads br_netfilter. */
const ACROSS = ['post-up iptables -I', 'pre-down iptables -D'].map(
  (start) => `${start} FORWARD -i $IFACE -o $IFACE -j ACCEPT`,
);

function bridgeOptions(wish: PersistWish): readonly string[] {
  const { uplink, mac, stp, vlanAware, physdev, bridgeNf } = wish;
  const delay = delayOf(wish);
  return [
    `bridge_ports ${uplink ?? 'none'}`,
    `bridge_stp ${stp === true ? 'on' : 'off'}`,
    `bridge_fd ${delay}`,
    // Waiting for the ports is of use only where they are silent at first.
    `bridge_maxwait ${stp === true ? 2 * delay + 2 : 0}`,
    ...(mac === undefined ? [] : [`bridge_hw ${mac}`]),
    ...(vlanAware === true ? ['bridge_vlan_aware yes'] : []),
    ...(physdev === true ? PHYSDEV : []),
    ...(bridgeNf === 'accept' ? ACROSS : []),
  ];
}

const mtuOptions = ({ mtu }: PersistWish): readonly string[] =>
  mtu === undefined ? [] : [`post-up ip link set dev $IFACE mtu ${mtu}`];

function plainStanzas(wish: PersistWish): readonly string[] {
  const [inet, inet6] = modelStanzas(wish);
  const options = [...bridgeOptions(wish), ...mtuOptions(wish)];
  return [
    `auto ${wish.name}`,
    `iface ${wish.name} inet ${inet.method}`,
    ...indented([...inet.options, ...options, ...inet.after]),
    ...stanzaLines(wish.name, inet6),
  ];
}

/** The bridge is made by the first `inet` stanza; without one, by one that does nothing else. */
function movedStanzas(wish: PersistWish, all: readonly Stanza[]): readonly string[] {
  const { name, uplink = '' } = wish;
  const own = all.filter(({ words }) => !isReplaced(wish, words[2] === 'inet6' ? 'inet6' : 'inet'));
  const inet = own.findIndex(({ words }) => words[2] === 'inet');
  const has = all.some(({ options }) => options.some((one) => one.includes('--physdev-is-bridged')));
  const made = [...bridgeOptions(has ? { ...wish, physdev: false } : wish), ...mtuOptions(wish)];
  const moved = own.flatMap(({ words, options }, index) => [
    ['iface', name, ...words.slice(2)].join(' '),
    ...indented([...options.map((one) => renamed(one, uplink, name)), ...(index === inet ? made : [])]),
  ]);
  const [model4, model6] = modelStanzas(wish.instead ?? { addresses: [] });
  const beside = (family: 'inet' | 'inet6'): readonly string[] =>
    all
      .filter(({ words }) => words[2] === family)
      .flatMap(({ options }) => options.filter(isBeside).map((one) => renamed(one, uplink, name)));
  const first = isReplaced(wish, 'inet')
    ? [
        `iface ${name} inet ${model4.method}`,
        ...indented([...model4.options, ...beside('inet'), ...made, ...model4.after]),
      ]
    : inet >= 0
      ? []
      : [`iface ${name} inet manual`, ...indented(made)];
  const last = isReplaced(wish, 'inet6') ? stanzaLines(name, model6, beside('inet6')) : [];
  return [...first, ...moved, ...last];
}

/** As a whole word: `post-up ip route add … dev eth0`, and not eth0.10. */
function renamed(option: string, from: string, to: string): string {
  return option
    .split(/(\s+)/)
    .map((word) => (word === from ? to : word))
    .join('');
}

function withoutLink(text: string, stanzas: readonly Stanza[], link: string): string {
  const lines = text.split('\n');
  for (const stanza of stanzas) {
    const [first] = stanza.lines;
    if (first === undefined) continue;
    if (stanzasOf([stanza], link).length > 0)
      for (const index of stanza.lines) lines[index] = MARK + (lines[index] ?? '');
    else if (bringsUp(stanza, link)) {
      const rest = stanza.words.filter((word) => word !== link);
      for (const index of stanza.lines) lines[index] = MARK + (lines[index] ?? '');
      if (rest.length > 1) lines[first] = `${lines[first]}\n${rest.join(' ')}`;
    }
  }
  return lines.join('\n');
}

function append({ path, content }: ConfigFile, block: readonly string[]): ConfigFile {
  const gap = content === '' || content.endsWith('\n\n') ? '' : content.endsWith('\n') ? '\n' : '\n\n';
  return { path, content: `${content}${gap}${block.join('\n')}\n` };
}
