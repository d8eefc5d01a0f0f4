/** driver_override takes the device's lock on 5.19 to 6.x: a device that hangs must not hang us. */
import { join } from 'node:path';
import type { Host } from '../port.ts';

/** A slow machine starts a tool in less: an emulated and busy one was seen to need more than two seconds. */
const ALL_MS = 10_000;
const EACH_MS = 2_000;

/** By address: '' none; absent: it did not answer. All by one child; one by one only where that one was held up. */
export async function readOverrides(
  host: Pick<Host, 'run'>,
  root: string,
  addresses: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const found = await ask(host, root, addresses, ALL_MS);
  const missing = addresses.filter((address) => !found.has(address));
  if (found.size > 0 || missing.length === 0) return found;
  const each = await Promise.all(missing.map((address) => ask(host, root, [address], EACH_MS)));
  return new Map(each.flatMap((one) => [...one]));
}

async function ask(
  host: Pick<Host, 'run'>,
  root: string,
  addresses: readonly string[],
  timeoutMs: number,
): Promise<Map<string, string>> {
  if (addresses.length === 0) return new Map();
  const paths = addresses.map((address) => join(root, '/sys/bus/pci/devices', address, 'driver_override'));
  const { stdout, timedOut } = await host.run(['grep', '-sH', '', ...paths], { timeoutMs });
  if (timedOut) return new Map();
  const lines = stdout.split('\n').flatMap((line) => {
    const [, address, value] = /\/([^/]+)\/driver_override:(.*)$/.exec(line) ?? [];
    return address === undefined || value === undefined ? [] : [[address, plain(value)] as const];
  });
  return new Map(lines);
}

/** The kernel writes "(null)" where there is none. */
const plain = (value: string): string => (value === '(null)' ? '' : value);
