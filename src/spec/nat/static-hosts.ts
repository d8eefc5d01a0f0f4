/** Guests that always get the same address, put into a definition and taken out of it: `net update`. */
import type { Mac } from '../mac.ts';
import type { Problem } from '../raw.ts';
import { childrenNamed, type Document, type Element, renderXml } from './xml.ts';

export interface HostEdit {
  readonly mac: Mac;
  /** Absent: it is taken out. */
  readonly put?: { readonly ip?: string; readonly name?: string };
}

/** The text with the edits in it; everything else stays as it was written. Changes the document. */
export function editHosts(document: Document, edits: readonly HostEdit[]): string | Problem {
  const root = document.documentElement;
  if (root === null) throw new TypeError('a document without a root');
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
    const host = first ?? append(document, dhcp);
    host.setAttribute('mac', mac);
    for (const [key, value] of [
      ['ip', put.ip],
      ['name', put.name],
    ] as const)
      if (value === undefined) host.removeAttribute(key);
      else host.setAttribute(key, value);
  }
  return renderXml(document);
}

const macOf = (host: Element): string => (host.getAttribute('mac') ?? '').toLowerCase().replaceAll('-', ':');

/** With the blanks before it, so that no empty line stays. */
function remove(host: Element): void {
  const before = host.previousSibling;
  if (before !== null && /^\s+$/.test(before.nodeValue ?? '')) host.parentNode?.removeChild(before);
  host.parentNode?.removeChild(host);
}

/** On a line of its own, indented as its neighbours are. */
function append(document: Document, dhcp: Element): Element {
  const made = document.createElement('host');
  const space = dhcp.firstChild?.nodeValue ?? '';
  const last = dhcp.lastChild;
  const tail = last !== null && /^\s+$/.test(last.nodeValue ?? '') ? last : null;
  if (/^\s+$/.test(space)) dhcp.insertBefore(document.createTextNode(space), tail);
  dhcp.insertBefore(made, tail);
  return made;
}
