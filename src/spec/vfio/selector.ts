/** How a user names a PCI function: the address in its forms, what it is known by on the network, or what it is. */
import { type Mac, parseMac } from '../mac.ts';
import { type PciAddress, readPciAddress } from '../pci-address.ts';
import { isProblem, type Problem } from '../raw.ts';

export type Selector =
  | { readonly kind: 'address'; readonly text: string; readonly address: PciAddress }
  /** All functions of a slot: 81:00.* */
  | { readonly kind: 'slot'; readonly text: string; readonly slot: string }
  /** A network interface's name or alternative name. */
  | { readonly kind: 'netdev'; readonly text: string; readonly name: string }
  | { readonly kind: 'mac'; readonly text: string; readonly mac: Mac }
  /** Four hex digits each; `nth` counts from 0 in the order of addresses. */
  | { readonly kind: 'id'; readonly text: string; readonly ids: readonly string[]; readonly nth?: number }
  /** A virtual function of a physical one; without `index` any free one. */
  | { readonly kind: 'vf'; readonly text: string; readonly pf: Selector; readonly index?: number };

const ID = /^id:([0-9a-f]{4}):([0-9a-f]{4})(?::([0-9a-f]{4}):([0-9a-f]{4}))?(?:#(\d+))?$/i;
const VF = /^(.+)\/vf(\d*)$/;

export function parseSelector(text: string, at: string): Selector | Problem {
  const [, pf, index] = VF.exec(text) ?? [];
  if (pf !== undefined && !text.startsWith('/sys/')) {
    const of = parseSelector(pf, at);
    if (isProblem(of)) return of;
    return { kind: 'vf', text, pf: of, ...(index === '' ? {} : { index: Number(index) }) };
  }
  const address = readPciAddress(text);
  if (address !== undefined) return { kind: 'address', text, address };
  const first = text.endsWith('.*') ? readPciAddress(`${text.slice(0, -1)}0`) : undefined;
  if (first !== undefined) return { kind: 'slot', text, slot: first.slice(0, -2) };
  if (/^mac:/i.test(text)) {
    const mac = parseMac(text.slice(4), at);
    return isProblem(mac) ? mac : { kind: 'mac', text, mac };
  }
  if (/^id:/i.test(text)) return parseId(text, at);
  // Only addresses hold a colon, so the rest can be a name: dev_valid_name() in net/core/dev.c.
  if (/^[^\s/:]{1,127}$/.test(text) && text !== '.' && text !== '..')
    return { kind: 'netdev', text, name: text };
  return { at, what: `"${text}" names no device`, hint: hintFor(text) };
}

function parseId(text: string, at: string): Selector | Problem {
  const [, vendor, device, subVendor, subDevice, nth] = ID.exec(text) ?? [];
  if (vendor === undefined || device === undefined)
    return {
      at,
      what: `"${text}" is not an id`,
      hint: 'write id:8086:1572, or id:8086:1572#1 for the second',
    };
  const ids = [vendor, device, subVendor, subDevice].flatMap((id) =>
    id === undefined ? [] : [id.toLowerCase()],
  );
  return { kind: 'id', text, ids, ...(nth === undefined ? {} : { nth: Number(nth) }) };
}

function hintFor(text: string): string {
  if (/^[0-9a-f]{4}:[0-9a-f]{4}$/i.test(text)) return `write id:${text} for the vendor and device id`;
  // B:D:F with a colon where everybody else writes a dot.
  if (/^[0-9a-f]{1,2}:[0-9a-f]{1,2}:[0-7]$/i.test(text)) return `write ${text.replace(/:(?=.$)/, '.')}`;
  if (/^([0-9a-f]+:)?[0-9a-f]{1,2}:[0-9a-f]{1,2}$/i.test(text))
    return `write ${text}.0 for the first function, ${text}.* for all`;
  return 'write 0000:81:00.0, an interface’s name, mac:…, id:VENDOR:DEVICE or PF/vfN';
}
