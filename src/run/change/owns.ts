/** Is it ours? Asked of the machine right before something is taken back. */
import type { Host } from '../../host/port.ts';
import { LINK_GONE } from '../../plan/links.ts';
import type { Owns } from '../../plan/undo.ts';

export type Ownership =
  | { readonly kind: 'ours' | 'gone' }
  | { readonly kind: 'foreign'; readonly why: string }
  /** The machine did not say. */
  | { readonly kind: 'unknown'; readonly why: string; readonly timedOut: boolean };

export function ownership(
  owns: Exclude<Owns, { readonly itself: string }>,
  host: Host,
  timeoutMs: number,
): Promise<Ownership> {
  return 'link' in owns ? linkOwnership(owns, host, timeoutMs) : tableOwnership(owns, host, timeoutMs);
}

async function linkOwnership(
  owns: Extract<Owns, { readonly link: string }>,
  host: Host,
  timeoutMs: number,
): Promise<Ownership> {
  const result = await host.run(['ip', '-j', 'link', 'show', 'dev', owns.link], { timeoutMs });
  if (result.status !== 0) {
    if (LINK_GONE.some((text) => result.stderr.includes(text))) return { kind: 'gone' };
    return { kind: 'unknown', why: result.stderr.trim() || 'ip gave no answer', timedOut: result.timedOut };
  }
  const [link] = JSON.parse(result.stdout) as { ifname?: string; address?: string; ifalias?: string }[];
  // By name only: `ip` also finds a link by an alternative name.
  if (link?.ifname !== owns.link) return { kind: 'gone' };
  if (owns.macBefore !== undefined && link.address === owns.macBefore) return { kind: 'gone' };
  // The mark alone: it takes CAP_NET_ADMIN to set, while a tap's user may change its address (tun.c, SIOCSIFHWADDR).
  if (owns.alias !== undefined) {
    if (link.ifalias === owns.alias) return { kind: 'ours' };
    const found = link.ifalias === undefined ? 'has no mark' : `is marked "${link.ifalias}"`;
    return { kind: 'foreign', why: `${owns.link} ${found}` };
  }
  if (owns.mac !== undefined && link.address !== owns.mac)
    return { kind: 'foreign', why: `${owns.link} has the address ${link.address}` };
  return { kind: 'ours' };
}

/** From the text: `nft -j` 1.0.6 leaves a table's comment out. */
async function tableOwnership(
  owns: Extract<Owns, { readonly nft: string }>,
  host: Host,
  timeoutMs: number,
): Promise<Ownership> {
  const [family = '', table = ''] = owns.nft.split(' ');
  const result = await host.run(['nft', 'list', 'table', family, table], { timeoutMs });
  if (result.status !== 0) {
    if (result.stderr.includes('No such file or directory')) return { kind: 'gone' };
    return { kind: 'unknown', why: result.stderr.trim() || 'nft gave no answer', timedOut: result.timedOut };
  }
  const comment = /^\tcomment "(.*)"$/m.exec(result.stdout)?.[1];
  if (comment === owns.comment) return { kind: 'ours' };
  return {
    kind: 'foreign',
    why: `table ${owns.nft} ${comment === undefined ? 'has no mark' : `is marked "${comment}"`}`,
  };
}

/**
 * /sys shows the network namespace it was mounted in, which need not be ours (`ip netns exec`, containers). Why an
 * attribute there is somebody else's; undefined when it is not.
 */
export async function foreignSys(path: string, host: Host): Promise<string | undefined> {
  const name = /^\/sys\/class\/net\/([^/]+)\//.exec(path)?.[1];
  if (name === undefined) return undefined;
  const result = await host.run(['ip', '-j', 'link', 'show', 'dev', name], { timeoutMs: 5_000 });
  const [link] = result.status === 0 ? (JSON.parse(result.stdout) as { ifindex?: number }[]) : [];
  const shown = await host.read(`/sys/class/net/${name}/ifindex`);
  if (link?.ifindex !== undefined && `${link.ifindex}` === shown) return undefined;
  return `/sys shows another network namespace: its ${name} is not ours`;
}
