/** What QEMU's own command line says about the host's side of its NICs. */

import { defined } from './defined.ts';

export interface NetdevWords {
  readonly type: string;
  readonly id: string;
  readonly ifname?: string;
  readonly bridge?: string;
}

/** Every `-netdev TYPE,id=ID,…` of an argv; QEMU doubles a comma inside a value. */
export function netdevWords(argv: readonly string[]): readonly NetdevWords[] {
  return argv.flatMap((word, at) => {
    const next = argv[at + 1];
    return word === '-netdev' && next !== undefined ? netdev(next) : [];
  });
}

function netdev(text: string): readonly NetdevWords[] {
  const parts = text.match(/(?:[^,]|,,)+/g) ?? [];
  const [type = '', ...pairs] = parts.map((part) => part.replaceAll(',,', ','));
  const values = new Map(
    pairs.map((pair) => {
      const cut = pair.indexOf('=');
      return [pair.slice(0, cut), pair.slice(cut + 1)] as const;
    }),
  );
  const id = values.get('id');
  if (id === undefined) return [];
  const [ifname, br] = [values.get('ifname'), values.get('br')];
  // The default of net/tap.c, DEFAULT_BRIDGE_INTERFACE.
  const bridge = br ?? (type === 'bridge' || values.has('helper') ? 'br0' : undefined);
  return [{ type, id, ...defined({ ifname, bridge }) }];
}
