/** Reads what QEMU prints when it is asked for help. Pure: text to facts. */

/** `-netdev help`, `-display help`, `-accel help`: a title line, then one name per line (7.2 to 10.x). */
export function readNames(help: string): string[] {
  return help
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => /^[a-z0-9][A-Za-z0-9._-]*$/.test(line));
}

/** `-device help`: `name "virtio-net-pci", bus PCI, alias "virtio-net"`, grouped under headings. */
export function readDevices(help: string): string[] {
  const names = [...help.matchAll(/^name "([^"]+)"/gm)].map((match) => match[1] ?? '');
  const aliases = [...help.matchAll(/^name .*, alias "([^"]+)"/gm)].map((match) => match[1] ?? '');
  return [...names, ...aliases];
}

/** `-help`: `(default=/usr/lib/qemu/qemu-bridge-helper)` behind the words "helper". */
export function readBridgeHelper(help: string): string | undefined {
  return /\(default=(\/[^)]*bridge-helper)\)/.exec(help)?.[1];
}
