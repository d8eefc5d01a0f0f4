/** What `net check` looks at. */
import { existsSync } from 'node:fs';
import { linkNamed } from '../../plan/facts.ts';
import type { Saved } from '../../plan/nat/chains.ts';
import type { NetSeen } from '../../plan/nat/check.ts';
import type { NatFacts } from '../../plan/nat/facts.ts';
import { chainPrefix } from '../../plan/nat/iptables.ts';
import { localnetPath } from '../../plan/nat/localnet.ts';
import { tableOf } from '../../plan/nat/nft.ts';
import type { NatPaths, NatStatus } from '../../plan/nat/start.ts';
import { isOwnerMark } from '../../plan/owner.ts';
import { IPV4_FORWARD, IPV6_FORWARD } from '../../plan/sysctl.ts';
import type { Host } from '../port.ts';
import { completesChecksums } from './checksum.ts';
import { dnsmasqPid } from './dnsmasq.ts';
import { readSaved } from './iptables.ts';

const DEADLINE_MS = 10_000;

export async function lookAtNetwork(
  host: Host,
  facts: NatFacts,
  { name, bridge }: NatStatus,
  paths: NatPaths,
): Promise<NetSeen> {
  const mark = linkNamed(facts, bridge)?.ifalias ?? '';
  const iptables = facts.iptables ?? (await madeBefore(host, mark));
  return {
    facts: iptables === undefined ? facts : { ...facts, iptables },
    table: iptables === undefined ? await tableState(host, tableOf(name)) : 'unknown',
    forwarding: await host.read(IPV4_FORWARD),
    forwarding6: await host.read(IPV6_FORWARD),
    localnet: await host.read(localnetPath(bridge)),
    checksums: await completesChecksums(host, facts.checksum, bridge, mark),
    dnsmasqPid: dnsmasqPid(paths),
    conf: existsSync(paths.conf),
  };
}

/** By iptables, before nft came to this host: it goes on as it was made until its next start. */
async function madeBefore(host: Host, mark: string): Promise<Saved | undefined> {
  if (!isOwnerMark(mark)) return undefined;
  const own = `${chainPrefix(mark)}-`;
  const saved = await readSaved(host);
  return saved[4]?.includes(own) === true || saved[6]?.includes(own) === true ? saved : undefined;
}

/** Every rule of ours counts. */
async function tableState(host: Host, table: string): Promise<NetSeen['table']> {
  const [family = '', name = ''] = table.split(' ');
  const { status, stdout, stderr } = await host.run(['nft', 'list', 'table', family, name], {
    timeoutMs: DEADLINE_MS,
  });
  if (status === 0) return stdout.includes('counter packets') ? 'there' : 'empty';
  return stderr.includes('No such file or directory') ? 'missing' : 'unknown';
}
