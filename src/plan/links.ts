/** Making a link so that at every moment it is either provably ours or not there. */
import type { Lifetime } from './lifetime.ts';
import { linkMac, ownerMark, tempLinkName } from './owner.ts';
import type { Argv, BatchLine, Undo } from './step.ts';

export interface NewLink {
  readonly name: string;
  /** What follows `ip link add name X address Y`: `['type', 'bridge', …]`. Or a tap, which rtnetlink does not make. */
  readonly type: readonly string[] | NewTap;
  /** Given, or chosen from the token. */
  readonly mac?: string;
  /** Set after the link has its name: `['up']`, `['master', 'br0', 'up']`; each is one line of the batch. */
  readonly settings?: readonly Argv[];
}

interface NewTap {
  /** Who may open it without any right. */
  readonly uid: number;
  readonly multiQueue: boolean;
}

/** What `ip` says when a link is not there (any more). ip 6.1: `Cannot find device "x"`. */
export const LINK_GONE: readonly string[] = ['Cannot find device', 'does not exist', 'No such device'];

export interface LinkOrder {
  readonly lifetime: Lifetime;
  readonly token: string;
  /** Distinguishes the links of one plan. 0..35 */
  readonly index: number;
}

function addLines({ name, type }: NewLink, temp: string, mac: string): readonly BatchLine[] {
  const title = `make a link for ${name}`;
  const undo: Undo = { run: ['ip', 'link', 'delete', 'dev', temp], gone: LINK_GONE };
  if (!('uid' in type)) {
    const words: Argv = ['link', 'add', 'name', temp, 'address', mac, ...type];
    return [{ title, words, undo, owns: { link: temp, mac } }];
  }
  const queues = type.multiQueue ? ['multi_queue'] : [];
  const words: Argv = ['tuntap', 'add', 'dev', temp, 'mode', 'tap', 'user', String(type.uid), ...queues];
  const address: Argv = ['link', 'set', 'dev', temp, 'address', mac];
  return [
    // Its name, 48 random bits that were journaled before, is the only mark it can be born with.
    { title, words, undo, owns: { link: temp } },
    { title: `give it the address ${mac}`, words: address, undo: { nothing: 'goes away with the link' } },
  ];
}

/** The lines of one `ip -batch` that make the link. */
export function newLinkLines(link: NewLink, order: LinkOrder): readonly BatchLine[] {
  const temp = tempLinkName(order.token, order.index);
  const mac = link.mac ?? linkMac(order.token, order.index);
  const alias = ownerMark(order.lifetime, order.token);
  const gone = LINK_GONE;
  return [
    ...addLines(link, temp, mac),
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
