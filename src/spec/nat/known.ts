/** What of libvirt's network format is acted on here. Everything else is kept in the definition, and said. */
import { attributesOf, childElements, type Document, type Element, placeOf } from './xml.ts';

interface Known {
  readonly attributes?: readonly string[];
  readonly children?: Readonly<Record<string, Known>>;
  readonly anything?: true;
}

const RANGE: Known = { attributes: ['start', 'end'] };

const LEASE: Known = { attributes: ['expiry', 'unit'] };

const DNS: Known = {
  attributes: ['enable', 'forwardPlainNames'],
  children: {
    forwarder: { attributes: ['addr', 'domain'] },
    host: { attributes: ['ip'], children: { hostname: {} } },
    txt: { attributes: ['name', 'value'] },
    srv: { attributes: ['service', 'protocol', 'domain', 'target', 'port', 'priority', 'weight'] },
  },
};

/** With all that is in it. */
const ANYTHING: Known = { anything: true };

const NETWORK: Known = {
  // Of the first, guests reach each other by IPv6 anyway; the others are libvirt's own business.
  attributes: ['ipv6', 'connections', 'trustGuestRxFilters'],
  children: {
    name: {},
    uuid: {},
    bridge: { attributes: ['name', 'stp', 'delay', 'zone', 'macTableManager'] },
    mac: { attributes: ['address'] },
    mtu: { attributes: ['size'] },
    domain: { attributes: ['name', 'localOnly', 'register'] },
    dns: DNS,
    route: { attributes: ['family', 'address', 'netmask', 'prefix', 'gateway', 'metric'] },
    port: { attributes: ['isolated'] },
    portgroup: {
      attributes: ['name', 'default', 'trustGuestRxFilters'],
      children: {
        port: { attributes: ['isolated'] },
        vlan: { attributes: ['trunk'], children: { tag: { attributes: ['id', 'nativeMode'] } } },
        bandwidth: {
          children: { inbound: { attributes: ['average'] }, outbound: { attributes: ['average'] } },
        },
      },
    },
    bandwidth: {
      children: {
        inbound: { attributes: ['average', 'peak', 'burst'] },
        // Over the average is dropped at once: there is no peak.
        outbound: { attributes: ['average', 'burst'] },
      },
    },
    'dnsmasq:options': { children: { 'dnsmasq:option': { attributes: ['value'] } } },
    // For people, and for programs beside libvirt: nobody ever acts on them.
    title: {},
    description: {},
    metadata: ANYTHING,
    forward: {
      attributes: ['mode', 'dev'],
      children: { nat: { attributes: ['ipv6'], children: { port: RANGE, address: RANGE } } },
    },
    ip: {
      attributes: ['address', 'netmask', 'prefix', 'family', 'localPtr'],
      children: {
        tftp: { attributes: ['root'] },
        dhcp: {
          children: {
            bootp: { attributes: ['file', 'server'] },
            range: { ...RANGE, children: { lease: LEASE } },
            host: { attributes: ['mac', 'id', 'ip', 'name'], children: { lease: LEASE } },
          },
        },
      },
    },
  },
};

/** "line 4: network/virtualport has no effect here; it is kept" */
export function unknownParts(document: Document): readonly string[] {
  const { documentElement } = document;
  return documentElement === null ? [] : unknownIn(documentElement, NETWORK);
}

function unknownIn(element: Element, known: Known): readonly string[] {
  if (known.anything === true) return [];
  const attributes = attributesOf(element)
    .filter(({ name }) => name !== 'xmlns' && !name.startsWith('xmlns:'))
    .filter(({ name, value }) => known.attributes?.includes(name) !== true || IDLE[name] === value)
    .map(({ name }) => inert(placeOf(element, name)));
  const children = childElements(element).flatMap((child) => {
    const inside = known.children?.[child.tagName];
    if (inside === undefined) return [inert(placeOf(child))];
    return unknownIn(child, inside);
  });
  return [...attributes, ...children];
}

/** What is known, and not done: the kernel keeps the table of a bridge. */
const IDLE: Readonly<Record<string, string>> = { macTableManager: 'libvirt' };

const inert = (place: string): string => `${place} has no effect here; it is kept`;
