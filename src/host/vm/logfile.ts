/** Reading a growing file in pieces. */

import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { EXIT, QlaunchError } from '../../errors.ts';
import { shellWord } from '../../plan/shell.ts';

const PIECE_BYTES = 64 * 1024;

/**
 * From `offset` (bytes) to the end as it is now; a file that is not there is empty. Returns the new offset.
 * Errors: QL_LOG when it is a symlink or no file: the folder is its user's, and both would be traps for root.
 */
export function readFrom(path: string, offset: number, write: (chunk: Uint8Array) => void): number {
  let fd: number;
  try {
    // A FIFO must not block us.
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return offset;
    throw code === 'ELOOP' ? notAFile(path) : error;
  }
  try {
    if (!fstatSync(fd).isFile()) throw notAFile(path);
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

function notAFile(path: string): QlaunchError {
  return new QlaunchError('QL_LOG', EXIT.refused, {
    what: `will not read ${path}`,
    why: ['it is not an ordinary file'],
    todo: [`ls -l ${shellWord(path)}`],
  });
}
