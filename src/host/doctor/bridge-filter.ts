/** Whether what crosses a bridge is dropped by the firewall for routed packets. The rules are root's to read. */
import type { Finding } from '../../plan/doctor/finding.ts';
import { bridgeFilterFindings } from '../../plan/doctor/forward.ts';
import type { Board } from '../../plan/map/board.ts';
import { which } from '../linux-files.ts';
import type { DoctorContext } from './context.ts';

const CALLS = [
  '/proc/sys/net/bridge/bridge-nf-call-iptables',
  '/proc/sys/net/bridge/bridge-nf-call-ip6tables',
];

export async function bridgeFilter(
  { host, who }: DoctorContext,
  { bridges }: Board,
): Promise<readonly Finding[]> {
  const id = 'bridge-filter';
  const calls = await Promise.all(CALLS.map((path) => host.read(path)));
  if (calls.every((call) => call === undefined))
    return [{ id, state: 'ok', fact: 'br_netfilter is not loaded: bridges pass the firewall by' }];
  if (calls.every((call) => call !== '1'))
    return [{ id, state: 'ok', fact: 'bridges pass the firewall by (bridge-nf-call-iptables is 0)' }];
  const busy = bridges
    .filter(({ uplinks, ports }) => uplinks.length + ports.length > 1)
    .map(({ name }) => name);
  if (busy.length === 0)
    return [{ id, state: 'ok', fact: 'br_netfilter is on; no bridge has two ports yet' }];
  if (!who.root)
    return [
      {
        id,
        state: 'warning',
        fact: 'br_netfilter is on; whether the firewall drops what crosses a bridge is for root to read',
        cure: ['sudo qlaunch doctor'],
      },
    ];
  if (which('nft') === undefined)
    return [
      { id, state: 'warning', fact: 'br_netfilter is on, and there is no nft to read the firewall with' },
    ];
  const { status, stdout, stderr } = await host.run(['nft', 'list', 'ruleset'], { timeoutMs: 10_000 });
  if (status !== 0) return [{ id, state: 'warning', fact: `the firewall can not be read: ${stderr.trim()}` }];
  return [
    ...bridgeFilterFindings(stdout, busy, /^\tchain DOCKER-USER \{/m.test(stdout)),
    ...(await legacyFinding(host)),
  ];
}

/** Rules of iptables-legacy are in no ruleset of nft's. */
async function legacyFinding(host: DoctorContext['host']): Promise<readonly Finding[]> {
  const tables = await host.read('/proc/net/ip_tables_names').catch(() => undefined);
  if (tables?.split('\n').includes('filter') !== true) return [];
  const tool = which('iptables-legacy') ?? which('iptables');
  if (tool === undefined) return [];
  const { stdout } = await host.run([tool, '-S', 'FORWARD'], { timeoutMs: 10_000 });
  if (!stdout.startsWith('-P FORWARD DROP')) return [];
  return [
    {
      id: 'bridge-filter',
      about: 'iptables-legacy',
      state: 'warning',
      fact: 'br_netfilter is on, and FORWARD of iptables-legacy drops what no rule of it names',
      cure: [`sudo ${tool} -S FORWARD`, `sudo ${tool} -I FORWARD -i br0 -o br0 -j ACCEPT`],
    },
  ];
}
