/** Who else on this host needs it to route: then forwarding stays on when the last of us leaves. */
import type { Machine } from '../../host/port.ts';

/** Bridges and devices of container engines and of libvirt, by the names they give them. */
const FORWARDING_LINKS =
  /^(docker\d+|br-[0-9a-f]{12}|cni\d+|cni-podman\d+|podman\d+|virbr\d+|lxcbr\d+|lxdbr\d+|incusbr\d+|cali[0-9a-f]+|flannel\.\d+|kube-bridge)$/;

/** Names for a person; empty: nobody. When the host does not tell, that counts as somebody. */
export async function otherForwarders(machine: Machine): Promise<readonly string[]> {
  const found = [...(await links(machine)), ...(await foreignNat(machine))];
  return [...found, ...(await savedNat(machine))];
}

/** A rule of iptables that rewrites addresses, and is in none of our chains (plan/nat/iptables.ts). */
const SAVED_REWRITES =
  /^-A (?!ql-[0-9a-f]{12}-|qlaunch_fwd_)\S+ .*-j (MASQUERADE|SNAT|DNAT|REDIRECT|NETMAP)\b/m;

/** Where nft does not tell: it is missing, or they are iptables-legacy's, whose table is there once somebody asked for it. */
async function savedNat(machine: Machine): Promise<readonly string[]> {
  const names = await machine.read('/proc/net/ip_tables_names');
  const isLegacy = names?.split('\n').includes('nat') === true;
  if (!isLegacy && (await machine.which('nft')) !== undefined) return [];
  const programs = isLegacy ? ['iptables-legacy-save', 'iptables-save'] : ['iptables-save'];
  let isTold = false;
  for (const program of programs) {
    if ((await machine.which(program)) === undefined) continue;
    const { status, stdout } = await machine.run([program], { timeoutMs: 5_000 });
    if (status === 0 && SAVED_REWRITES.test(stdout)) return [`NAT of ${program.replace('-save', '')}`];
    isTold ||= status === 0 && /^\*nat$/m.test(stdout);
  }
  return isLegacy && !isTold ? ['NAT of iptables-legacy'] : [];
}

async function links(machine: Machine): Promise<readonly string[]> {
  const result = await machine.run(['ip', '-j', 'link', 'show'], { timeoutMs: 5_000 });
  if (result.status !== 0) return ['somebody (ip did not tell)'];
  const rows = JSON.parse(result.stdout || '[]') as { ifname?: string; ifalias?: string }[];
  return rows.flatMap(({ ifname, ifalias }) =>
    ifname !== undefined && FORWARDING_LINKS.test(ifname) && ifalias?.startsWith('qlaunch:') !== true
      ? [ifname]
      : [],
  );
}

const REWRITES = /\b(masquerade|snat|dnat)\b/;
/** Whether somebody has rewritten it: every firewalld lets that pass. */
const ASKS = /\bct status (!= )?(\{[^}]*\}|\S+)/g;
/** Of ours, that iptables made before nft came to this host. */
const OUR_CHAINS = /^\tchain (?:ql-[0-9a-f]{12}|qlaunch_fwd_[0-9a-f]{12})-[\s\S]*?^\t\}/gm;

/** A table without our mark that rewrites addresses. */
async function foreignNat(machine: Machine): Promise<readonly string[]> {
  if ((await machine.which('nft')) === undefined) return [];
  const result = await machine.run(['nft', 'list', 'ruleset'], { timeoutMs: 5_000 });
  if (result.status !== 0) return ['somebody (nft did not tell)'];
  const tables = result.stdout.split(/^(?=table )/m).filter((text) => text.startsWith('table '));
  const foreign = tables.filter(
    (text) =>
      !/^\tcomment "qlaunch:/m.test(text) &&
      REWRITES.test(text.replaceAll(ASKS, '').replaceAll(OUR_CHAINS, '')),
  );
  return foreign.map((text) => `nft ${text.slice(0, text.indexOf(' {'))}`);
}
