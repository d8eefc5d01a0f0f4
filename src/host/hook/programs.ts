/** Where the hooks of the program that runs now are. */
import { existsSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { EXIT, QlaunchError } from '../../errors.ts';
import type { HookName } from '../../plan/hook/install.ts';
import type { Argv } from '../../plan/step.ts';

/** Bun's own executables run a file inside themselves: what counts is the executable. */
const isStandalone = 'bun' in process.versions;

/** The folder of the programs: dist/bin, or where the standalone executable is. */
function home(): string {
  return dirname(realpathSync(isStandalone ? process.execPath : (process.argv[1] ?? process.execPath)));
}

/** For QEMU's script= and downscript=: one file that can be executed. Throws QL_HOOK_MISSING. */
export function hookScript(name: HookName): string {
  return found(join(home(), name));
}

/** The same without the search for itself: interpreter and file. Throws QL_HOOK_MISSING (exit 4). */
export function hookProgram(name: HookName): Argv {
  return isStandalone ? [hookScript(name)] : [process.execPath, found(join(home(), `${name}.js`))];
}

function found(path: string): string {
  if (existsSync(path)) return path;
  throw new QlaunchError('QL_HOOK_MISSING', EXIT.host, {
    what: `there is no ${path}`,
    why: ['the hooks are looked for where this qlaunch is'],
    todo: isStandalone ? [`ln ${process.execPath} ${path}`] : ['npm run build'],
  });
}

export interface Writable {
  readonly path: string;
  readonly uid: number;
  /** Group or others, not only its owner. */
  readonly byOthers: boolean;
}

/** The first file or folder on the way to these programs that somebody else than root may change. */
export function writableByOthers(programs: readonly Argv[]): Writable | undefined {
  const all = programs.flat().flatMap((file) => [file, ...parents(realpathSync(file))]);
  for (const path of all) {
    const { uid, mode } = statSync(path);
    const sticky = (mode & 0o1000) !== 0;
    const byOthers = (mode & 0o022) !== 0 && !sticky;
    if (uid !== 0 || byOthers) return { path, uid, byOthers };
  }
  return undefined;
}

function parents(path: string): readonly string[] {
  const above = dirname(path);
  return above === path ? [] : [above, ...parents(above)];
}
