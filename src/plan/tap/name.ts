/** Names of taps that qlaunch makes for a VM. */
import { createHash } from 'node:crypto';

/** IFNAMSIZ 16 with the NUL (linux/if.h). */
const NAME_BYTES = 15;

/**
 * "qt-web0". A VM whose name is too long, or whose tap's name somebody else has, gets a piece of a hash instead, the
 * same every time.
 * @param vm its label, which tells it from every other VM of the host
 */
export function tapName(vm: string, index: number, isTaken: (name: string) => boolean): string {
  const name = vm.slice(vm.lastIndexOf('/') + 1);
  const plain = `qt-${name}${index}`;
  if (plain.length <= NAME_BYTES && !isTaken(plain)) return plain;
  for (let salt = 0; ; salt += 1) {
    const hash = createHash('sha256').update(`${vm}\0${salt}`).digest('hex').slice(0, 5);
    const room = NAME_BYTES - 'qt--'.length - hash.length - String(index).length;
    const hashed = `qt-${name.slice(0, room)}-${hash}${index}`;
    if (!isTaken(hashed)) return hashed;
  }
}
