/** Who else decides on this host what may pass. */
import type { FirewallFacts } from '../../plan/firewall/peace.ts';
import { type Chain, parseRuleset } from '../../plan/firewall/ruleset.ts';
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
  const tools = ['iptables', 'ufw', 'firewall-cmd'].filter((name) => which(name) !== undefined);
  return {
    chains,
    tools,
    zones:
      chains.some(({ table }) => table === 'firewalld') && tools.includes('firewall-cmd')
        ? await zones(host)
        : [],
    bridgeFilter: (await host.read('/proc/sys/net/bridge/bridge-nf-call-iptables')) === '1',
    ...(uplink === undefined ? {} : { uplink }),
  };
}

/** Empty: it does not run. */
async function zones(host: Pick<Host, 'run'>): Promise<readonly string[]> {
  const { status, stdout } = await host.run(['firewall-cmd', '--get-zones'], { timeoutMs: DEADLINE_MS });
  return status === 0 ? stdout.trim().split(/\s+/) : [];
}
