/** Names of vendors and devices, where the host has the list. */
import { readFileSync } from 'node:fs';
import { quietly } from './bus.ts';

const PLACES = ['/usr/share/misc/pci.ids', '/usr/share/hwdata/pci.ids', '/var/lib/pciutils/pci.ids'];

/** pci.ids(5): "8086  Intel Corporation", then "\t1572  Ethernet Controller X710". Read once, when first asked. */
export function pciNames(
  places: readonly string[] = PLACES,
): (vendor: string, device: string) => string | undefined {
  let text: string | undefined;
  return (vendor, device) => {
    text ??= places.map((path) => quietly(() => readFileSync(path, 'utf8'))).find(Boolean) ?? '';
    const start = text.indexOf(`\n${vendor}  `);
    if (start < 0) return undefined;
    const end = text.slice(start + 1).search(/\n[0-9a-fC]/);
    const block = text.slice(start, end < 0 ? undefined : start + 1 + end);
    return new RegExp(`\\n\\t${device}  (.*)`).exec(block)?.[1];
  };
}
