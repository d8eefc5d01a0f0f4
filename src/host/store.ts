/** Directories of ours that hold what undo commands are read from: nobody else may write there. */
import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { EXIT, QlaunchError } from '../errors.ts';
import { makeFolders, syncDirectory } from './linux-files.ts';
import type { Store } from './port.ts';

const myUid = (): number => process.geteuid?.() ?? 0;

/** `culprit`: the directory that is wrong, where it is another one. */
function unsafe(path: string, why: string, culprit: string = path): QlaunchError {
  return new QlaunchError('QL_STATE_UNSAFE', EXIT.refused, {
    what: `will not use ${path}`,
    why: [why, 'what is written there is later run by us'],
    todo: [`ls -ld ${culprit}; then make it yours alone, or set QLAUNCH_RUNTIME_DIR and QLAUNCH_STATE_DIR`],
  });
}

/** Makes it (0700) where it is missing, and refuses one that others could write or swap. */
export function secureDirectory(path: string): void {
  makeMissing(path);
  const stat = lstatSync(path);
  if (!stat.isDirectory()) throw unsafe(path, 'it is not a directory');
  if (stat.uid !== myUid()) throw unsafe(path, `it belongs to uid ${stat.uid}, not to ${myUid()}`);
  if ((stat.mode & 0o022) !== 0) throw unsafe(path, 'others may write there');
  checkParents(path);
}

/** Throws QL_STATE_UNSAFE when somebody else could put another file or directory in the place of this one. */
export function checkParents(path: string): void {
  // Absolute: the parent of '.' is '.' again, and what lies above it would never be looked at.
  for (let above = dirname(resolve(path)); ; above = dirname(above)) {
    checkAbove(path, above);
    if (above === '/') return;
  }
}

/** Who may rename an entry of a directory above may put another one in its place. */
function checkAbove(path: string, above: string): void {
  const stat = statSync(above);
  if (stat.uid !== 0 && stat.uid !== myUid())
    throw unsafe(path, `${above} belongs to uid ${stat.uid}`, above);
  const sticky = (stat.mode & 0o1000) !== 0;
  if ((stat.mode & 0o022) !== 0 && !sticky) throw unsafe(path, `others may write in ${above}`, above);
}

function makeMissing(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
    chmodSync(path, 0o700);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT') throw error;
    makeParents(dirname(path));
    makeMissing(path);
  }
}

/** Parents are for everybody to pass through: /run/qlaunch also holds each user's own VMs. */
function makeParents(path: string): void {
  makeFolders(path, 0o711);
}

/** The directory is made and checked at the first write or read of something that exists. */
export function directoryStore(directory: string): Store {
  let checked = false;
  const check = (): void => {
    if (!checked) secureDirectory(directory);
    checked = true;
  };
  const path = (name: string): string => {
    if (!/^[A-Za-z0-9._-]+$/.test(name) || name.startsWith('.'))
      throw new TypeError(`not a file name: ${name}`);
    return join(directory, name);
  };
  const tempOf = (name: string): string => join(directory, `.${name}.new`);
  return {
    path,
    list() {
      const names = namesIn(directory);
      if (names.length > 0) check();
      return names.filter((name) => !name.startsWith('.')).sort();
    },
    read(name) {
      const file = path(name);
      try {
        lstatSync(file);
      } catch {
        return undefined;
      }
      check();
      return readOwn(file);
    },
    replace(name, text) {
      check();
      const file = path(name);
      const temp = tempOf(name);
      removeIfThere(temp);
      const fd = openSync(temp, 'wx', 0o600);
      try {
        for (let rest = Buffer.from(text, 'utf8'); rest.length > 0; )
          rest = rest.subarray(writeSync(fd, rest));
        fsyncSync(fd);
        renameSync(temp, file);
      } catch (error) {
        removeIfThere(temp);
        throw error;
      } finally {
        closeSync(fd);
      }
      syncDirectory(directory);
    },
    remove(name) {
      check();
      removeIfThere(path(name));
      removeIfThere(tempOf(name));
      syncDirectory(directory);
    },
    sweep() {
      for (const name of namesIn(directory)) {
        const target = /^\.(.+)\.new$/.exec(name)?.[1];
        if (target !== undefined && !existsSync(path(target))) removeIfThere(join(directory, name));
      }
    },
  };
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function readOwn(file: string): string {
  const fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile() || stat.uid !== myUid()) throw unsafe(file, 'it is not a file of ours');
    if ((stat.mode & 0o022) !== 0 || stat.nlink !== 1) throw unsafe(file, 'others may write it');
    return readFileSync(fd, 'utf8');
  } finally {
    closeSync(fd);
  }
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
