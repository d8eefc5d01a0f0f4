/** The DHCP clients that run for a NIC, and what each needs to be the same client on another link. */
import { readFileSync } from 'node:fs';
import type { DhcpClient } from '../../plan/bridge/dhcp.ts';
import type { Argv } from '../../plan/step.ts';
import type { Machine } from '../port.ts';
import { type Process, processesNaming } from './users.ts';

/** dhclient(8): where it keeps its leases unless told. */
const USUAL_LEASES = '/var/lib/dhcp/dhclient.leases';

/** One whose parent would start it anew on the NIC is not among them: nothing is handed over behind somebody's back. */
export async function dhcpClients(
  machine: Machine,
  nic: string,
  address: string | undefined,
  metric: number | undefined,
): Promise<readonly DhcpClient[]> {
  const found: DhcpClient[] = [];
  for (const process of processesNaming(nic)) {
    const { program, pid, start, argv } = process;
    if (program === 'dhcpcd' && !isSupervised(process)) {
      const path = await machine.which('dhcpcd');
      if (path !== undefined) found.push({ program, pid, start, argv: dhcpcd(path, process, nic, metric) });
      continue;
    }
    const [first, ...rest] = argv;
    if ((program !== 'dhclient' && program !== 'udhcpc') || first === undefined || isSupervised(process))
      continue;
    const path = program === 'dhclient' ? (argv[argv.indexOf('-lf') + 1] ?? '') : '';
    const at = program === 'dhclient' && !argv.includes('-lf') ? USUAL_LEASES : path;
    const content = program === 'dhclient' ? await machine.read(at) : undefined;
    found.push({
      ...{ program, pid, start, argv: [first, ...rest] },
      ...(content === undefined ? {} : { leases: { path: at, content: `${content}\n` } }),
      ...(address === undefined ? {} : { address }),
    });
  }
  return found;
}

/** What it was started with, it has written over; all but the family and the metric is in dhcpcd.conf(5). */
function dhcpcd(
  path: string,
  { argv: [title = ''] }: Process,
  nic: string,
  metric: number | undefined,
): Argv {
  const [v4, v6] = ['[ip4]', '[ip6]'].map((word) => title.includes(word));
  const family = v4 === v6 ? [] : v4 === true ? ['-4'] : ['-6'];
  return [path, ...family, '-b', '-q', ...(metric === undefined ? [] : ['-m', String(metric)]), nic];
}

/** A client in the background is a child of process 1. */
function isSupervised({ pid }: Process): boolean {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] !== '1';
}
