/**
 * Taps that QEMU's bridge helper made for guests on a bridge, and that are in no bridge any more. They are found by the
 * processes that have them open: nobody but the helper knows their names, and no record of ours does.
 */
import { readFileSync, readlinkSync, statSync } from 'node:fs';
import type { LinkFact } from '../../plan/facts.ts';
import { runsFor } from '../../plan/nat/holder.ts';
import { decide } from '../../spec/acl/decide.ts';
import { toAclBytes } from '../../spec/acl/names.ts';
import { readerOf } from '../acl/chain/acl.ts';
import { chosenHelper, inspectHelper, isRootsOwn } from '../acl/helper.ts';
import { readAcl } from '../acl/read.ts';
import { tunHolders } from '../map/tun-holders.ts';
import { userNamed } from '../vm/user.ts';

export interface HelperTap {
  readonly tap: LinkFact;
  /** "VM web", or "process 17". */
  readonly whose: string;
  /** Whoever runs it may have a port of this bridge: the helper would make him one. */
  readonly isAllowed: boolean;
}

/** None where we are not root. A QEMU of which it is not clear what of its is for which bridge is left out. */
export function helperTaps(bridge: string, links: readonly LinkFact[]): readonly HelperTap[] {
  if (process.geteuid?.() !== 0) return [];
  // The helper's taps go with their process, which is how the kernel tells them from prepared ones.
  const made = new Map(
    links.filter(({ tun }) => tun?.type === 'tap' && !tun.persist).map((link) => [link.ifname, link]),
  );
  if ([...made.values()].every(({ master }) => master !== undefined)) return [];
  const holders = tunHolders();
  return holders.flatMap(({ pid, taps, guest }) => {
    const own = taps.flatMap((name) => made.get(name) ?? []);
    const free = own.filter(({ master }) => master === undefined);
    const wanted = bridgesOf(pid);
    for (const { master } of own) {
      const at = master === undefined ? -1 : wanted.indexOf(master);
      if (at >= 0) wanted.splice(at, 1);
    }
    if (wanted.length !== free.length || wanted.some((one) => one !== bridge)) return [];
    const whose = guest === undefined ? `process ${pid}` : `VM ${guest}`;
    return free.map((tap) => {
      // Another process may have it by inheritance.
      const all = holders.filter((other) => other.taps.includes(tap.ifname)).map((other) => other.pid);
      return { tap, whose, isAllowed: mayHavePort(ownerOf(all), bridge) };
    });
  });
}

/** `-netdev bridge,id=net0,br=virbr0`: of each, as QEMU was told; br0 unless said (qemu(1)). */
function bridgesOf(pid: number): string[] {
  const words = wordsOf(pid);
  return words.flatMap((word, n) => {
    const isNetdev = ['-netdev', '-nic', '-net'].includes(words[n - 1] ?? '');
    return isNetdev && /^bridge(,|$)/.test(word) ? [/,br=([^,]+)/.exec(word)?.[1] ?? 'br0'] : [];
  });
}

function wordsOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    // It has just ended.
    return [];
  }
}

/** The one user for whom all of them run; undefined: there is none. */
function ownerOf(pids: readonly number[]): number | undefined {
  const uids = new Set(pids.map(userOf));
  return uids.size === 1 ? [...uids][0] : undefined;
}

function userOf(pid: number): number | undefined {
  try {
    const look = (): number | undefined =>
      runsFor({
        status: readFileSync(`/proc/${pid}/status`, 'utf8'),
        exe: readlinkSync(`/proc/${pid}/exe`),
        mode: statSync(`/proc/${pid}/exe`).mode,
      });
    // Twice: between the questions it may have become another program.
    const uid = look();
    return uid === look() ? uid : undefined;
  } catch {
    // It has just ended.
    return undefined;
  }
}

/** By the list that root's own helper reads; a command line may name any other. */
function mayHavePort(uid: number | undefined, bridge: string): boolean {
  if (uid === undefined || uid === 0) return uid === 0;
  const user = userNamed(`${uid}`);
  const path = chosenHelper({});
  const helper = path === undefined ? undefined : inspectHelper(path);
  if (user === undefined || helper === undefined || !isRootsOwn(helper)) return false;
  const rules = readAcl(helper.acl, { user: readerOf(helper, { user, dropTo: true, root: true }) });
  return decide(rules, toAclBytes(bridge)).kind === 'allowed';
}
