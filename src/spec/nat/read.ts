/** libvirt's network XML, read and checked. https://libvirt.org/formatnetwork.html */
import { EXIT, QlaunchError } from '../../errors.ts';
import { parseIfName } from '../ifname.ts';
import { parseMac } from '../mac.ts';
import { parseChoice, parseSwitch, parseWhole } from '../number.ts';
import { Gathering, type Problem } from '../raw.ts';
import { unknownParts } from './known.ts';
import type { Forwarding, ForwardMode, Network, NetworkBridge } from './network.ts';
import { readPortgroups } from './portgroup.ts';
import { readAddressRange } from './read-address.ts';
import { readBandwidth } from './read-bandwidth.ts';
import { readNames } from './read-dns.ts';
import { readIps } from './read-ip.ts';
import { readOptions } from './read-options.ts';
import { readRoutes } from './read-route.ts';
import { parseBridgeName, parseDomain, parseNetworkName, parseUuid, parseZone } from './words.ts';
import { childrenNamed, type Document, type Element, parseXml, placeOf } from './xml.ts';

export interface ReadNetwork {
  readonly network: Network;
  /** What has no effect here. */
  readonly warnings: readonly string[];
  readonly document: Document;
}

/** @param at the file's name. Throws QL_NET_XML: it is no network; QL_NET_SPEC with every mistake in it. Exit 2. */
export function readNetwork(text: string, at: string): ReadNetwork {
  const document = parseXml(text, at);
  const root = document.documentElement;
  if (root?.tagName !== 'network')
    throw new QlaunchError('QL_NET_XML', EXIT.usage, {
      what: `${at} is not a network definition`,
      why: [`its outermost element is <${root?.tagName}>, not <network>`],
    });
  const gathering = new Gathering();
  const network = readRoot(gathering, root);
  if (network === undefined || gathering.problems.length > 0) throw mistakes(at, gathering.problems);
  return { network, warnings: unknownParts(document), document };
}

function mistakes(at: string, problems: readonly Problem[]): QlaunchError {
  const lines = problems.map(
    ({ at: place, what, hint }) => `${place}: ${what}${hint === undefined ? '' : ` (${hint})`}`,
  );
  return new QlaunchError('QL_NET_SPEC', EXIT.usage, {
    what: `${at} can not be used as a network`,
    why: lines,
  });
}

type Reader<T> = (text: string, at: string) => T | Problem;

/** The text inside an element. */
function inside<T>(gathering: Gathering, root: Element, name: string, reader: Reader<T>): T | undefined {
  const [element] = childrenNamed(root, name);
  return element === undefined
    ? undefined
    : gathering.take(reader((element.textContent ?? '').trim(), placeOf(element)));
}

function attribute<T>(
  gathering: Gathering,
  element: Element | undefined,
  name: string,
  reader: Reader<T>,
): T | undefined {
  const text = element?.getAttribute(name) ?? undefined;
  if (element === undefined || text === undefined) return undefined;
  return gathering.take(reader(text, placeOf(element, name)));
}

const SINGLE = [
  'name',
  'uuid',
  'bridge',
  'mac',
  'mtu',
  'domain',
  'dns',
  'forward',
  'bandwidth',
  'port',
] as const;

function readRoot(gathering: Gathering, root: Element): Network | undefined {
  for (const name of SINGLE)
    for (const again of childrenNamed(root, name).slice(1))
      gathering.refuse(placeOf(again), 'there may be only one of it');
  const first = (name: string): Element | undefined => childrenNamed(root, name)[0];
  const take = <T>(element: string, name: string, reader: Reader<T>): T | undefined =>
    attribute(gathering, first(element), name, reader);
  if (first('name') === undefined) gathering.refuse(`${placeOf(root)}/name`, 'is missing');
  const name = inside(gathering, root, 'name', parseNetworkName);
  const uuid = inside(gathering, root, 'uuid', parseUuid);
  const mac = take('mac', 'address', parseMac);
  const mtu = take('mtu', 'size', (text, at) => parseWhole(text, at, 68, 65_535));
  const forward = readForward(gathering, first('forward'));
  const ips = readIps(gathering, root);
  const domain = take('domain', 'name', parseDomain);
  const localOnly = take('domain', 'localOnly', parseSwitch) ?? false;
  const register = take('domain', 'register', parseSwitch) ?? false;
  const dns = take('dns', 'enable', parseSwitch) ?? true;
  const plain = take('dns', 'forwardPlainNames', parseSwitch);
  const names = { ...readNames(gathering, first('dns')), forwardPlain: plain ?? true };
  const routes = readRoutes(gathering, root, ips);
  const options = readOptions(gathering, root);
  const bandwidth = readBandwidth(gathering, root);
  const isolated = take('port', 'isolated', parseSwitch) ?? false;
  const portgroups = readPortgroups(gathering, root);
  const bridge = readBridge(gathering, first('bridge'));
  if (forward.mode === 'bridge') checkHostBridge(gathering, root, bridge);
  if (name === undefined) return undefined;
  return {
    name,
    bridge,
    forward,
    dns,
    names,
    ips,
    routes,
    bandwidth,
    isolated,
    portgroups,
    options,
    ...(uuid === undefined ? {} : { uuid }),
    ...(mac === undefined ? {} : { mac }),
    ...(mtu === undefined ? {} : { mtu }),
    ...(domain === undefined ? {} : { domain: { name: domain, localOnly, register } }),
  };
}

/** Whose address, names and rates are the administrator's. */
function checkHostBridge(gathering: Gathering, root: Element, { name }: NetworkBridge): void {
  const others = ['mac', 'mtu', 'domain', 'dns', 'ip', 'route', 'bandwidth', 'dnsmasq:options'];
  for (const element of others.flatMap((other) => childrenNamed(root, other)))
    gathering.refuse(placeOf(element), "forward mode 'bridge' has none: the bridge is the host's own");
  if (name === undefined)
    gathering.refuse(
      `${placeOf(root)}/bridge/@name`,
      "is missing: forward mode 'bridge' uses a bridge of this host, no macvtap",
      "write <bridge name='br0'/>",
    );
}

function readBridge(gathering: Gathering, element: Element | undefined): NetworkBridge {
  const name = attribute(gathering, element, 'name', parseBridgeName);
  const zone = attribute(gathering, element, 'zone', parseZone);
  attribute(gathering, element, 'macTableManager', (text, at) =>
    parseChoice(text, at, ['kernel', 'libvirt']),
  );
  return {
    stp: attribute(gathering, element, 'stp', parseSwitch) ?? true,
    // The kernel's limit, BR_MAX_FORWARD_DELAY in linux/net/bridge/br_private_stp.h.
    delay: attribute(gathering, element, 'delay', (text, at) => parseWhole(text, at, 0, 30)) ?? 0,
    ...(name === undefined ? {} : { name }),
    ...(zone === undefined ? {} : { zone }),
  };
}

const MODES: readonly ForwardMode[] = ['nat', 'route', 'open', 'none', 'bridge'];

/** libvirt reads a `forward` without a mode as nat, and a network without `forward` as isolated. */
function readForward(gathering: Gathering, element: Element | undefined): Forwarding {
  if (element === undefined) return { mode: 'none' };
  const mode = element.hasAttribute('mode')
    ? attribute(gathering, element, 'mode', (text, at) => parseChoice(text, at, MODES))
    : 'nat';
  const dev = attribute(gathering, element, 'dev', (text, at) => {
    const name = parseIfName(text, at);
    // It stands in quotes in nft's syntax, where a trailing star means "any that begins so".
    if (typeof name !== 'string' || /^[A-Za-z0-9._@-]+$/.test(text)) return name;
    return { at, what: `"${text}" can not be named in a firewall rule` };
  });
  const [nat, again] = childrenNamed(element, 'nat');
  if (again !== undefined) gathering.refuse(placeOf(again), 'there may be only one of it');
  if (nat !== undefined && mode !== 'nat')
    gathering.refuse(placeOf(nat), `only forward mode 'nat' has it, not '${mode}'`);
  const ports = nat === undefined ? undefined : readPorts(gathering, childrenNamed(nat, 'port')[0]);
  const [range] = nat === undefined ? [] : childrenNamed(nat, 'address');
  const nat6 = attribute(gathering, nat, 'ipv6', parseSwitch);
  const addresses = range === undefined ? undefined : readAddressRange(gathering, range);
  return {
    mode: mode ?? 'nat',
    ...(dev === undefined ? {} : { dev }),
    ...(ports === undefined ? {} : { ports }),
    ...(addresses === undefined ? {} : { addresses }),
    ...(nat6 === undefined ? {} : { nat6 }),
  };
}

function readPorts(gathering: Gathering, element: Element | undefined): Forwarding['ports'] {
  if (element === undefined) return undefined;
  const port: Reader<number> = (text, at) => parseWhole(text, at, 1, 65_535);
  const [start, end] = ['start', 'end'].map((name) =>
    element.hasAttribute(name)
      ? attribute(gathering, element, name, port)
      : gathering.refuse(placeOf(element, name), 'is missing'),
  );
  if (start === undefined || end === undefined) return undefined;
  return start <= end
    ? { start, end }
    : gathering.refuse(placeOf(element), `it begins at ${start}, after ${end}`);
}
