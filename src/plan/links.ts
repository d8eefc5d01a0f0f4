/** Making a link so that at every moment it is either provably ours or not there. */
import type { Lifetime } from './lifetime.ts';
import { linkMac, ownerMark, tempLinkName } from './owner.ts';
import type { Argv, BatchLine } from './step.ts';

export interface NewLink {
  readonly name: string;
  /** What follows `ip link add name X address Y`: `['type', 'bridge', …]`. */
  readonly type: readonly string[];
  /** Given, or chosen from the token. */
  readonly mac?: string;
  /** Set after the link has its name: `['up']`, `['master', 'br0', 'up']`; each is one line of the batch. */
  readonly settings?: readonly Argv[];
}

/** What `ip` says when a link is not there (any more). ip 6.1: `Cannot find device "x"`. */
export const LINK_GONE: readonly string[] = ['Cannot find device', 'does not exist', 'No such device'];

export interface LinkOrder {
  readonly lifetime: Lifetime;
  readonly token: string;
  /** Distinguishes the links of one plan. 0..35 */
  readonly index: number;
}

/** The lines of one `ip -batch` that make the link. */
export function newLinkLines(link: NewLink, order: LinkOrder): readonly BatchLine[] {
  const temp = tempLinkName(order.token, order.index);
  const mac = link.mac ?? linkMac(order.token, order.index);
  const alias = ownerMark(order.lifetime, order.token);
  const gone = LINK_GONE;
  return [
    {
      title: `make a link for ${link.name}`,
      words: ['link', 'add', 'name', temp, 'address', mac, ...link.type],
      undo: { run: ['ip', 'link', 'delete', 'dev', temp], gone },
      owns: { link: temp, mac },
    },
    {
      title: `mark the link for ${link.name} as ours`,
      words: ['link', 'set', 'dev', temp, 'alias', alias],
      undo: { nothing: 'the mark goes away with the link' },
    },
    {
      title: `name the link ${link.name}`,
      words: ['link', 'set', 'dev', temp, 'name', link.name],
      undo: { run: ['ip', 'link', 'delete', 'dev', link.name], gone },
      owns: { link: link.name, mac, alias },
    },
    ...(link.settings ?? []).map(
      (words): BatchLine => ({
        title: `set ${link.name} ${words.join(' ')}`,
        words: ['link', 'set', 'dev', link.name, ...words],
        undo: { nothing: `goes away with ${link.name}` },
      }),
    ),
  ];
}
