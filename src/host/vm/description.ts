/** Where a VM's description is: the image or profile that was named, and the user's own configuration. */
import { readFileSync, realpathSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { EXIT, QlaunchError } from '../../errors.ts';
import { shellLine } from '../../plan/shell.ts';
import { statePaths } from '../state-paths.ts';
import { asUser, type Identity } from './user.ts';

interface Text {
  readonly path: string;
  readonly text: string;
}

export interface Description {
  readonly userConfig?: Text;
  readonly profile?: Text;
  readonly image?: string;
}

/**
 * `named` is a profile when it ends in .ini, or when NAME.ini is here or in the configuration folder and no file is
 * called NAME; else an image. Errors: QL_PROFILE_MISSING, QL_NOTHING_TO_RUN.
 */
export function describe(
  named: string | undefined,
  who: Identity,
  env: NodeJS.ProcessEnv,
  cwd: string,
): Description {
  const dir = statePaths(env, { ...who.user, dropTo: who.dropTo }).config;
  const userConfig = read(join(dir, 'config.ini'), who);
  const own = userConfig === undefined ? {} : { userConfig };
  if (named === undefined) return own;
  const here = resolve(cwd, named);
  const isPath = /[/.]/.test(named) && !named.endsWith('.ini');
  // What cannot be looked at is told with the other mistakes, by the disk's own check.
  const there = asUser(who, () => look(here));
  if (!named.endsWith('.ini') && (there === 'there' || (there === 'hidden' && isPath)))
    return { ...own, image: named };
  const files = named.endsWith('.ini')
    ? [here, join(dir, named)]
    : [`${here}.ini`, join(dir, `${named}.ini`)];
  for (const path of files) {
    const profile = read(path, who);
    if (profile !== undefined) return { ...own, profile };
  }
  // A path that is plainly an image is reported with the other mistakes, by the disk's own check.
  if (isPath) return { ...own, image: named };
  throw new QlaunchError('QL_NOTHING_TO_RUN', EXIT.usage, {
    what: `"${named}" is neither a command nor an image nor a profile`,
    why: [
      `looked for ${[here, ...files].filter((path, index, all) => all.indexOf(path) === index).join(', ')}`,
    ],
    todo: ['qlaunch help'],
  });
}

function look(path: string): 'there' | 'missing' | 'hidden' {
  try {
    statSync(path);
    return 'there';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ENOTDIR' ? 'missing' : 'hidden';
  }
}

/** All links resolved, as far as the file is there. */
export function canonical(path: string, who: Identity): string {
  return asUser(who, () => {
    try {
      return realpathSync(path);
    } catch {
      return path;
    }
  });
}

function read(path: string, who: Identity): Text | undefined {
  return asUser(who, () => {
    try {
      return statSync(path).isFile() ? { path, text: readFileSync(path, 'utf8') } : undefined;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
      throw new QlaunchError('QL_PROFILE_UNREADABLE', EXIT.refused, {
        what: `cannot read ${path}`,
        why: [message],
        todo: [shellLine(['namei', '-l', path])],
      });
    }
  });
}
