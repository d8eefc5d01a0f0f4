/** QEMU's setuid bridge helper: where this distribution keeps it. */
import { accessSync, constants } from 'node:fs';
import { EXIT, QlaunchError } from '../../errors.ts';
import { installLine } from './install.ts';

const PLACES = [
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
  const candidates = [...new Set([...(builtIn === undefined ? [] : [builtIn]), ...places])];
  const found = candidates.find(executable);
  if (found !== undefined) return found;
  throw new QlaunchError('QL_BRIDGE_HELPER_MISSING', EXIT.host, {
    what: 'QEMU’s bridge helper is not installed',
    why: [`looked for ${candidates.join(', ')}`],
    todo: [installLine('bridge-helper'), 'or name it: --net bridge:BR,helper=/path/to/qemu-bridge-helper'],
  });
}

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
