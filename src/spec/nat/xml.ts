/** XML of users: untrusted, so without a DTD (no entities), and small. The only importer of the XML library. */
import { DOMParser, type Document, type Element, Node, ParseError, XMLSerializer } from '@xmldom/xmldom';
import { EXIT, QlaunchError } from '../../errors.ts';

export type { Document, Element };

/** libvirt's own networks are some hundred bytes; ten thousand static hosts are 0.8 MB. */
const MAX_BYTES = 1_000_000;
/** libvirt's deepest element is `network/dns/host/hostname`; the rest is room for what we do not know. */
const MAX_DEPTH = 32;

function refused(at: string, why: string): QlaunchError {
  return new QlaunchError('QL_NET_XML', EXIT.usage, {
    what: `${at} is not a network definition`,
    why: [why],
    todo: ['see https://libvirt.org/formatnetwork.html, or begin with: qlaunch net dumpxml default'],
  });
}

/** @param at the file's name, for messages. Throws QL_NET_XML. */
export function parseXml(text: string, at: string): Document {
  if (Buffer.byteLength(text) > MAX_BYTES) throw refused(at, `it is longer than ${MAX_BYTES} bytes`);
  if (/<!(DOCTYPE|ENTITY)/i.test(text))
    throw refused(at, 'it has a <!DOCTYPE …> or <!ENTITY …>: entities are not expanded');
  checkDepth(text, at);
  const complaints: string[] = [];
  const onError = (_level: string, message: string): void => {
    complaints.push(message.split('\n')[0] ?? message);
    throw new Error(message);
  };
  try {
    return new DOMParser({ onError }).parseFromString(text.replace(/^\uFEFF/, ''), 'text/xml');
  } catch (error) {
    if (!(error instanceof ParseError) && complaints.length === 0) throw error;
    throw refused(at, complaints[0] ?? String(error));
  }
}

/** Before the parser, which keeps a whole tree. A ">" in an attribute's value ends a tag too early, never too late. */
function checkDepth(text: string, at: string): void {
  const plain = text.replace(/<!--[\s\S]*?-->|<!\[CDATA\[[\s\S]*?\]\]>|<\?[\s\S]*?\?>/g, '');
  let depth = 0;
  for (const [tag] of plain.matchAll(/<[^>]*>/g)) {
    if (tag.startsWith('</')) depth -= 1;
    else if (!tag.endsWith('/>')) depth += 1;
    if (depth > MAX_DEPTH) throw refused(at, `elements are nested deeper than ${MAX_DEPTH}`);
  }
}

export function renderXml(document: Document): string {
  return `${new XMLSerializer().serializeToString(document).trim()}\n`;
}

export function childElements(element: Element): readonly Element[] {
  return Array.from(element.childNodes).filter(
    (node): node is Element => node.nodeType === Node.ELEMENT_NODE,
  );
}

export function childrenNamed(element: Element, name: string): readonly Element[] {
  return childElements(element).filter((child) => child.tagName === name);
}

export function attributesOf(element: Element): readonly { readonly name: string; readonly value: string }[] {
  return Array.from(element.attributes).map(({ name, value }) => ({ name, value }));
}

/** "network/ip[2]/dhcp": [n] where there are several of a name. */
function pathOf(element: Element): string {
  const parent = element.parentNode;
  if (parent === null || parent.nodeType !== Node.ELEMENT_NODE) return element.tagName;
  const same = childrenNamed(parent as Element, element.tagName);
  const index = same.length > 1 ? `[${same.indexOf(element) + 1}]` : '';
  return `${pathOf(parent as Element)}/${element.tagName}${index}`;
}

/** "line 7: network/ip[2]/@address" */
export function placeOf(element: Element, attribute?: string): string {
  const { lineNumber } = element;
  const line = lineNumber === undefined ? '' : `line ${lineNumber}: `;
  return `${line}${pathOf(element)}${attribute === undefined ? '' : `/@${attribute}`}`;
}
