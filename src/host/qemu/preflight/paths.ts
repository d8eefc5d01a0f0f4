/** Files that QEMU opens or makes, other than disks. */
import { accessSync, constants, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Finding } from '../finding.ts';

/** sun_path is 108 bytes with its closing NUL (unix(7)); QEMU: "Path must be less than 108 bytes". */
const SOCKET_PATH_BYTES = 107;

export function checkSocketPath(path: string, at: string): Finding | undefined {
  const bytes = Buffer.byteLength(path);
  if (bytes <= SOCKET_PATH_BYTES) return undefined;
  return {
    code: 'QL_SOCKET_PATH',
    what: `the socket path of ${at} is too long`,
    why: [`${path} has ${bytes} bytes; a unix socket's path may have ${SOCKET_PATH_BYTES}`],
    todo: ['take a shorter path, or set QLAUNCH_RUNTIME_DIR to a shorter directory'],
  };
}

/** A file that QEMU reads: a kernel, an initrd, a ROM, a password. */
export function checkReadable(path: string, at: string): Finding | undefined {
  const words = refusal(path, constants.R_OK);
  if (words === undefined && statSync(path).isFile()) return undefined;
  return {
    code: 'QL_FILE',
    what: `cannot read the file of ${at}`,
    why: [words ?? `${path} is not a file`],
    todo: [`ls -lH ${path}`],
  };
}

/** A file that QEMU makes or writes to, as `--serial file:PATH`. */
export function checkWritable(path: string, at: string): Finding | undefined {
  const there = statSync(path, { throwIfNoEntry: false }) !== undefined;
  const place = there ? path : dirname(path);
  const words = refusal(place, there ? constants.W_OK : constants.W_OK | constants.X_OK);
  if (words === undefined) return undefined;
  return {
    code: 'QL_FILE',
    what: `cannot write the file of ${at}`,
    why: [words],
    todo: [`ls -ldH ${place}`],
  };
}

function refusal(path: string, mode: number): string | undefined {
  try {
    accessSync(path, mode);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
