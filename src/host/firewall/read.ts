/** Who else decides on this host what may pass. */
import type { FirewallFacts } from '../../plan/firewall/peace.ts';
import { type Chain, parseRuleset } from '../../plan/firewall/ruleset.ts';
import { parseZones } from '../../plan/firewall/zone.ts';
import type { Argv } from '../../plan/step.ts';
import { which } from '../linux-files.ts';
import type { Host } from '../port.ts';

const DEADLINE_MS = 10_000;

/** Of others; empty where nft is missing, or may not be asked. */
export async function readChains(host: Pick<Host, 'run'>): Promise<readonly Chain[]> {
  if (which('nft') === undefined) return [];
  const { status, stdout } = await host.run(['nft', 'list', 'ruleset'], { timeoutMs: DEADLINE_MS });
  return status === 0 ? parseRuleset(stdout).filter(({ ours }) => !ours) : [];
}

export async function readFirewall(
  host: Pick<Host, 'run' | 'read'>,
  chains: readonly Chain[],
  uplink: string | undefined,
): Promise<FirewallFacts> {
  const tools = ['iptables', 'ufw'].filter((name) => which(name) !== undefined);
  const isUfw = tools.includes('ufw') && chains.some(({ name }) => name.startsWith('ufw'));
  const isFirewalld =
    chains.some(({ table }) => table === 'firewalld') && which('firewall-cmd') !== undefined;
  const zones = isFirewalld ? await said(host, ['firewall-cmd', '--list-all-zones']) : undefined;
  const added = isUfw ? await said(host, ['ufw', 'show', 'added']) : undefined;
  return {
    chains,
    tools,
    ...(zones === undefined ? { zones: [] } : parseZones(zones)),
    ...(added === undefined ? {} : { ufw: added.split('\n') }),
    bridgeFilter: (await host.read('/proc/sys/net/bridge/bridge-nf-call-iptables')) === '1',
    ...(uplink === undefined ? {} : { uplink }),
  };
}

/** undefined: it does not run, or does not answer. */
async function said(host: Pick<Host, 'run'>, argv: Argv): Promise<string | undefined> {
  const { status, stdout } = await host.run(argv, { timeoutMs: DEADLINE_MS });
  return status === 0 ? stdout : undefined;
}
