import type { Problem } from './raw.ts';

declare const brand: unique symbol;
/** Six lower-case hex pairs with colons, unicast. */
export type Mac = string & { readonly [brand]: 'Mac' };

/** Pairs with `:` or `-`, as QEMU takes them. QEMU itself accepts multicast and zero, with a dead NIC as the result. */
export function parseMac(text: string, at: string): Mac | Problem {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$|^[0-9a-f]{2}(-[0-9a-f]{2}){5}$/i.test(text))
    return { at, what: `"${text}" is not a MAC address`, hint: 'write six pairs: 52:54:00:12:ab:cd' };
  const mac = text.toLowerCase().replaceAll('-', ':');
  if (mac === '00:00:00:00:00:00') return { at, what: `${mac} means "no address"` };
  if (Number.parseInt(mac.slice(0, 2), 16) % 2 === 1)
    return { at, what: `${mac} is a multicast address: its first byte is odd` };
  return mac as Mac;
}
