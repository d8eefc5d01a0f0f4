/** Whether this host routes IPv4, and what says so at boot: sysctl.d(5). */
import type { ForwardFacts } from '../../plan/bridge/ip-forward.ts';
import { IPV4_FORWARD } from '../../plan/sysctl.ts';
import type { Machine } from '../port.ts';

const DIRS = ['/etc', '/run', '/usr/local/lib', '/usr/lib', '/lib'].map((dir) => `${dir}/sysctl.d`);
const LINE = /^\s*-?net[./]ipv4[./]ip_forward\s*=\s*(\S+)/gm;

/** @param name of the bridge: files that come after its own count */
export async function readForward(
  machine: Machine,
  name: string,
  users: readonly string[],
): Promise<ForwardFacts> {
  const first = new Map<string, string>();
  for (const dir of DIRS)
    for (const file of (await machine.list(dir)) ?? [])
      if (file.endsWith('.conf') && file > `60-qlaunch-${name}-forward.conf` && !first.has(file))
        first.set(file, `${dir}/${file}`);
  const later: { path: string; value: string }[] = [];
  // `sysctl --system` reads it last, and so does systemd where it is linked as 99-sysctl.conf.
  for (const path of ['/etc/sysctl.conf', ...[...first.values()].toSorted()]) {
    const value = [...((await machine.read(path)) ?? '').matchAll(LINE)].at(-1)?.[1];
    if (value !== undefined) later.push({ path, value });
  }
  return { now: (await machine.read(IPV4_FORWARD)) ?? '0', users, later };
}
