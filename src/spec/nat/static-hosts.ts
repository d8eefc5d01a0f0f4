/** Guests that always get the same address, and names, put into a definition and taken out of it: `net update`. */
import type { Mac } from '../mac.ts';
import type { Problem } from '../raw.ts';
import { childrenNamed, type Document, type Element, renderXml } from './xml.ts';

export interface HostEdit {
  readonly mac: Mac;
  /** Absent: it is taken out. */
  readonly put?: { readonly ip?: string; readonly name?: string };
}

/** Names of an address, which the network's DNS server answers. */
export interface NameEdit {
  readonly ip: string;
  /** None: the address is taken out. */
  readonly names: readonly string[];
}

/** The text with the edits in it; everything else stays as it was written. Changes the document. */
export function editDefinition(
  document: Document,
  { hosts = [], names = [] }: { readonly hosts?: readonly HostEdit[]; readonly names?: readonly NameEdit[] },
): string | Problem {
  const root = document.documentElement;
  if (root === null) throw new TypeError('a document without a root');
  const problem = [
    ...(hosts.length === 0 ? [] : [editHosts(document, root, hosts)]),
    ...names.map((edit) => editNames(document, root, edit)),
  ].find((one) => one !== undefined);
  return problem ?? renderXml(document);
}

function editHosts(document: Document, root: Element, edits: readonly HostEdit[]): Problem | undefined {
  const dhcp = childrenNamed(root, 'ip')
    .filter((ip) => !(ip.getAttribute('address') ?? '').includes(':'))
    .flatMap((ip) => childrenNamed(ip, 'dhcp'))[0];
  if (dhcp === undefined)
    return { at: 'network/ip', what: 'it has no <dhcp>, so nobody is given an address' };
  for (const { mac, put } of edits) {
    const old = childrenNamed(dhcp, 'host').filter((host) => macOf(host) === mac);
    if (put === undefined && old.length === 0)
      return { at: 'network/ip/dhcp', what: `no host has the MAC ${mac}` };
    const [first, ...more] = old;
    for (const host of put === undefined ? old : more) remove(host);
    if (put === undefined) continue;
    const host = first ?? append(document, dhcp, 'host');
    host.setAttribute('mac', mac);
    for (const [key, value] of [
      ['ip', put.ip],
      ['name', put.name],
    ] as const)
      if (value === undefined) host.removeAttribute(key);
      else host.setAttribute(key, value);
  }
  return undefined;
}

function editNames(document: Document, root: Element, { ip, names }: NameEdit): Problem | undefined {
  const found = childrenNamed(root, 'dns')[0];
  const old =
    found === undefined ? [] : childrenNamed(found, 'host').filter((one) => one.getAttribute('ip') === ip);
  if (names.length === 0 && old.length === 0) return { at: 'network/dns', what: `${ip} has no name there` };
  for (const host of old) remove(host);
  if (names.length === 0) return undefined;
  const host = append(document, found ?? append(document, root, 'dns'), 'host');
  host.setAttribute('ip', ip);
  for (const name of names) {
    const made = document.createElement('hostname');
    made.textContent = name;
    host.appendChild(made);
  }
  return undefined;
}

const macOf = (host: Element): string => (host.getAttribute('mac') ?? '').toLowerCase().replaceAll('-', ':');

/** With the blanks before it, so that no empty line stays. */
function remove(host: Element): void {
  const before = host.previousSibling;
  if (before !== null && /^\s+$/.test(before.nodeValue ?? '')) host.parentNode?.removeChild(before);
  host.parentNode?.removeChild(host);
}

/** On a line of its own, indented as its neighbours are. */
function append(document: Document, parent: Element, name: string): Element {
  const made = document.createElement(name);
  const space = parent.firstChild?.nodeValue ?? '';
  const last = parent.lastChild;
  const tail = last !== null && /^\s+$/.test(last.nodeValue ?? '') ? last : null;
  if (/^\s+$/.test(space)) parent.insertBefore(document.createTextNode(space), tail);
  parent.insertBefore(made, tail);
  return made;
}
