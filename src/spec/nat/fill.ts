/** What a definition leaves open is filled in once, at `define`, and kept: a gateway whose MAC changes is another one. */
import { childElements, childrenNamed, type Document, type Element, renderXml } from './xml.ts';

export interface Filling {
  readonly uuid: string;
  readonly mac: string;
  readonly bridge: string;
}

/** The definition's text with everything in it that the user wrote, in his order. Changes the document. */
export function fillIn(document: Document, filling: Filling): string {
  const root = document.documentElement;
  if (root === null) throw new TypeError('a document without a root');
  const named = (name: string): Element | undefined => childrenNamed(root, name)[0];
  if (named('uuid') === undefined) insertAfter(root, named('name'), 'uuid').textContent = filling.uuid;
  // The bridge is the host's own.
  if (named('forward')?.getAttribute('mode') === 'bridge') return renderXml(document);
  let bridge = named('bridge');
  if (bridge === undefined) {
    bridge = insertAfter(root, named('forward') ?? named('uuid'), 'bridge');
    bridge.setAttribute('stp', 'on');
    bridge.setAttribute('delay', '0');
  }
  if (!bridge.hasAttribute('name')) bridge.setAttribute('name', filling.bridge);
  const mac = named('mac') ?? insertAfter(root, bridge, 'mac');
  if (!mac.hasAttribute('address')) mac.setAttribute('address', filling.mac);
  return renderXml(document);
}

/** On a line of its own, indented as its neighbour. */
function insertAfter(root: Element, neighbour: Element | undefined, name: string): Element {
  const document = root.ownerDocument;
  if (document === null) throw new TypeError('an element without a document');
  const made = document.createElement(name);
  const before = neighbour ?? childElements(root)[0];
  const space = before?.previousSibling?.nodeValue ?? '';
  const next = before?.nextSibling ?? null;
  root.insertBefore(made, next);
  if (/^\s+$/.test(space)) root.insertBefore(document.createTextNode(space), made);
  return made;
}
