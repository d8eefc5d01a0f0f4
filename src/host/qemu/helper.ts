/** QEMU's setuid bridge helper: where this distribution keeps it. */
import { statSync } from 'node:fs';
import { EXIT, QlaunchError } from '../../errors.ts';
import { installLine } from './install.ts';

const PLACES: readonly string[] = [
  // NixOS: a setuid program that starts the real one, which lies on a file system without set-id bits
  '/run/wrappers/bin/qemu-bridge-helper',
  // Debian, Ubuntu, Arch, SUSE
  '/usr/lib/qemu/qemu-bridge-helper',
  // Fedora, RHEL
  '/usr/libexec/qemu-bridge-helper',
  '/usr/lib64/qemu/qemu-bridge-helper',
  // QEMU's own default
  '/usr/local/libexec/qemu-bridge-helper',
  '/usr/local/lib/qemu/qemu-bridge-helper',
];

/**
 * @param builtIn what this QEMU's -help names (QemuCaps.bridgeHelper): right where it exists, but a QEMU that was
 * unpacked elsewhere still names its distribution's path
 * Errors: QL_BRIDGE_HELPER_MISSING.
 */
export function findBridgeHelper(builtIn?: string, places: readonly string[] = PLACES): string {
  const candidates = helperPlaces(builtIn, places);
  const found = candidates.find(exists);
  if (found !== undefined) return found;
  throw new QlaunchError('QL_BRIDGE_HELPER_MISSING', EXIT.host, {
    what: 'QEMU’s bridge helper is not installed',
    why: [`looked for ${candidates.join(', ')}`],
    todo: [installLine('bridge-helper'), 'or name it: --net bridge:BR,helper=/path/to/qemu-bridge-helper'],
  });
}

/** In the order in which they are tried. */
export function helperPlaces(builtIn?: string, places: readonly string[] = PLACES): readonly string[] {
  return [...new Set([...(builtIn === undefined ? [] : [builtIn]), ...places])];
}

/** Also one that we may not run: that is another complaint than "not installed". */
export function exists(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
