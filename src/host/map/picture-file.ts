import { realpathSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { EXIT, QlaunchError } from '../../errors.ts';
import { writeWhole } from '../vm/store.ts';

/** A viewer that looks while we write sees the old picture or the new one. Errors: QL_SVG. */
export function writePicture(path: string, svg: string): void {
  try {
    const there = statSync(path, { throwIfNoEntry: false });
    // A pipe or a terminal has no other to be put in its place.
    if (there !== undefined && !there.isFile()) writeFileSync(path, svg);
    else writeWhole(there === undefined ? path : realpathSync(path), svg, 0o644);
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    throw new QlaunchError('QL_SVG', EXIT.host, {
      what: `cannot write the picture to ${path}`,
      why: [code === 'ENOENT' ? `there is no directory ${dirname(path)}` : message],
      todo: ['qlaunch map --svg - > FILE'],
    });
  }
}
