/** Whether this kernel can complete a checksum: tried in a namespace that goes at once. */
import { type ChecksumMeans, iptablesRule, tcWords } from '../../plan/nat/checksum.ts';
import { shellLine } from '../../plan/shell.ts';
import { which } from '../linux-files.ts';
import type { Host } from '../port.ts';

const DEADLINE_MS = 10_000;

/** undefined: only root may try. */
export async function checksumMeans(host: Pick<Host, 'run'>): Promise<ChecksumMeans | undefined> {
  if (process.geteuid?.() !== 0) return undefined;
  const works = async (line: string): Promise<boolean> => {
    const argv = ['unshare', '-n', '--', '/bin/sh', '-c', line] as const;
    return (await host.run(argv, { timeoutMs: DEADLINE_MS })).status === 0;
  };
  if (which('tc') !== undefined && (await works(tcWords('lo').map(shellLine).join(' && ')))) return 'tc';
  if (which('iptables') === undefined) return 'none';
  const rule = shellLine(['iptables', '-w', '-t', 'mangle', '-A', ...iptablesRule('lo', 'qlaunch')]);
  return (await works(rule)) ? 'iptables' : 'none';
}

/** undefined: there is nothing to look for. */
export async function completesChecksums(
  host: Pick<Host, 'run'>,
  means: ChecksumMeans | undefined,
  bridge: string,
  mark: string,
): Promise<boolean | undefined> {
  if (means === undefined || means === 'none') return undefined;
  const argv =
    means === 'tc'
      ? (['tc', 'filter', 'show', 'dev', bridge, 'egress'] as const)
      : (['iptables', '-w', '-t', 'mangle', '-C', ...iptablesRule(bridge, mark)] as const);
  const { status, stdout } = await host.run(argv, { timeoutMs: DEADLINE_MS });
  return status === 0 && (means === 'iptables' || stdout.includes('csum'));
}
