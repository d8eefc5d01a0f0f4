/** The device that an address meant before: buses are numbered anew when a card comes or goes. */
import type { PciFunction, VfioFacts } from './facts.ts';
import { describe } from './select.ts';

/** "0000:81:00.0 8086:1572": only what is named by its address can come to mean another device. */
export const pinOf = (one: PciFunction): string => `${one.address} ${one.vendor}:${one.device}`;

export interface Moved {
  readonly code: string;
  readonly what: string;
  readonly why: readonly string[];
  readonly todo: readonly string[];
}

/** undefined: it is the one it was, or was named by another address then. */
export function movedFrom(
  pin: string | undefined,
  one: PciFunction,
  facts: VfioFacts,
  at: string,
): Moved | undefined {
  const [address, id] = pin?.split(' ') ?? [];
  if (address !== one.address || id === `${one.vendor}:${one.device}`) return undefined;
  const same = facts.functions.filter(({ vendor, device }) => `${vendor}:${device}` === id);
  return {
    code: 'QL_VFIO_MOVED',
    what: `${at}: ${one.address} is another device than at this VM’s last start`,
    why: [
      `it was ${id}, and is ${describe(one)} now: a card that comes or goes numbers the buses anew`,
      same.length === 0 ? `this host has no ${id} any more` : `${id} is now ${same.map(describe).join('; ')}`,
    ],
    todo: [
      ...same.map((other) => `name ${other.address} instead, the device of then`),
      `name ${byIds(one, facts)} instead, if this one is meant`,
    ],
  };
}

/** A name for it that means no place. */
function byIds(one: PciFunction, facts: VfioFacts): `id:${string}` {
  const alike = facts.functions.filter(
    ({ vendor, device }) => vendor === one.vendor && device === one.device,
  );
  return `id:${one.vendor}:${one.device}${alike.length > 1 ? `#${alike.indexOf(one)}` : ''}`;
}
