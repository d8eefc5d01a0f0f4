/** A definition that a user brings along: read with the user's own rights, and never more than can be one. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { EXIT, QlaunchError } from '../../errors.ts';
import { asUser, type Identity } from '../vm/user.ts';

/** More than spec/nat/xml.ts takes, so that it is refused there. */
const MAX_BYTES = 1_000_001;

/** @param file a path, or "-" for stdin */
export function readDefinitionFile(file: string, who: Identity): string {
  const fd = file === '-' ? 0 : asUser(who, () => openSync(file, 'r'));
  try {
    if (fstatSync(fd).isDirectory())
      throw new QlaunchError('QL_USAGE', EXIT.usage, { what: `${file} is a directory` });
    const chunk = Buffer.alloc(MAX_BYTES);
    let length = 0;
    for (let got = 1; got > 0 && length < MAX_BYTES; length += got)
      got = readSync(fd, chunk, length, MAX_BYTES - length, null);
    return chunk.subarray(0, length).toString('utf8');
  } finally {
    if (fd !== 0) closeSync(fd);
  }
}
