/** An address of a link as `ip -j address` shows it, and as `ip address replace` takes it. */

export interface LinkAddress {
  readonly family: 'inet' | 'inet6';
  readonly local: string;
  readonly prefixlen: number;
  /** The other end of a point-to-point address; the prefix is then its. */
  readonly peer?: string;
  readonly broadcast?: string;
  readonly scope: string;
  readonly label?: string;
  /** Of its prefix route (IFA_RT_PRIORITY). */
  readonly metric?: number;
  /** Seconds; absent: for ever. */
  readonly validS?: number;
  readonly preferredS?: number;
  /** Words that both print and take: mngtmpaddr, noprefixroute, home, autojoin, nodad. */
  readonly flags: readonly string[];
}

/** IFNAMSIZ without the NUL. */
const MAX_LABEL = 15;

export function addressWords(
  one: LinkAddress,
  from: string,
  to: string,
  { nodad }: { readonly nodad: boolean },
): readonly string[] {
  const { local, prefixlen, peer, broadcast, metric } = one;
  const flags = nodad && !one.flags.includes('nodad') ? [...one.flags, 'nodad'] : one.flags;
  return [
    ...(peer === undefined ? [`${local}/${prefixlen}`] : [local, 'peer', `${peer}/${prefixlen}`]),
    ...(broadcast === undefined ? [] : ['broadcast', broadcast]),
    ...labelWords(one.label, from, to),
    ...(one.family === 'inet' ? ['scope', one.scope] : []),
    ...(metric === undefined ? [] : ['metric', String(metric)]),
    ...flags,
    ...(one.validS === undefined ? [] : ['valid_lft', String(one.validS)]),
    ...(one.preferredS === undefined ? [] : ['preferred_lft', String(one.preferredS)]),
  ];
}

/** "eth0:1" → "br0:1". A label must begin with the name of its link (ip's own check). */
function labelWords(label: string | undefined, from: string, to: string): readonly string[] {
  if (label === undefined || label === from || !label.startsWith(`${from}:`)) return [];
  const renamed = `${to}${label.slice(from.length)}`;
  return renamed.length > MAX_LABEL ? [] : ['label', renamed];
}
