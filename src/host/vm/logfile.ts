/** Reading a growing file in pieces. */
import { closeSync, constants, openSync, readSync } from 'node:fs';

const PIECE_BYTES = 64 * 1024;

/** From `offset` (bytes) to the end as it is now; a file that is not there is empty. Returns the new offset. */
export function readFrom(path: string, offset: number, write: (chunk: Uint8Array) => void): number {
  let fd: number;
  try {
    // The folder is its user's: a symlink in it is not followed with our rights.
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return offset;
    throw error;
  }
  try {
    let at = offset;
    for (;;) {
      const piece = Buffer.allocUnsafe(PIECE_BYTES);
      const bytes = readSync(fd, piece, 0, PIECE_BYTES, at);
      if (bytes === 0) return at;
      write(piece.subarray(0, bytes));
      at += bytes;
    }
  } finally {
    closeSync(fd);
  }
}
