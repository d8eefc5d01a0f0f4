/**
 * The same MAC for the same NIC every time. The rule is part of the interface (a DHCP server may know the address):
 *
 *   sha256("qlaunch mac 1" NUL machineId NUL uid NUL identity NUL nicId NUL salt), its first three bytes behind 52:54:00
 *
 * Test vectors: test/unit/spec/stable-mac.test.ts.
 */
import { createHash } from 'node:crypto';
import type { Mac } from './mac.ts';

export interface MacSeed {
  /** /etc/machine-id: 32 hex digits. Other hosts get other MACs for the same image. */
  readonly machineId: string;
  /** Of the user whose VM it is. */
  readonly uid: number;
  /** VmSpec.identity. */
  readonly identity: string;
  readonly nicId: string;
  /** 0 unless that MAC is taken. */
  readonly salt: number;
}

/** The locally administered prefix that QEMU and libvirt use. */
const PREFIX = '52:54:00';

export function stableMac({ machineId, uid, identity, nicId, salt }: MacSeed): Mac {
  const text = ['qlaunch mac 1', machineId, uid, identity, nicId, salt].join('\0');
  const tail = createHash('sha256').update(text).digest().subarray(0, 3);
  return [PREFIX, ...Array.from(tail, (byte) => byte.toString(16).padStart(2, '0'))].join(':') as Mac;
}

/** QEMU's own defaults, 52:54:00:12:34:56 and what follows: every VM without a `mac=` elsewhere has them. */
const QEMU_DEFAULTS = `${PREFIX}:12:34:`;

/**
 * A MAC for every NIC, by id: the written ones as they are, the others derived. `taken` are those of our other VMs;
 * on a collision the salt is counted up, NIC by NIC in the order given, so that the result is the same every time.
 */
export function stableMacs(
  nics: readonly { readonly id: string; readonly mac?: Mac }[],
  seed: Omit<MacSeed, 'nicId' | 'salt'>,
  taken: ReadonlySet<string> = new Set(),
): ReadonlyMap<string, Mac> {
  const used = new Set<string>([...taken, ...nics.flatMap(({ mac }) => mac ?? [])]);
  return new Map(
    nics.map(({ id, mac: written }) => {
      let mac = written;
      for (let salt = 0; mac === undefined; salt++) {
        const candidate = stableMac({ ...seed, nicId: id, salt });
        if (!used.has(candidate) && !candidate.startsWith(QEMU_DEFAULTS)) mac = candidate;
      }
      used.add(mac);
      return [id, mac];
    }),
  );
}
