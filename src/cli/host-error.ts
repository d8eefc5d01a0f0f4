/** What the system refused without our having foreseen it: the path and its words, but no stack. */
import { tmpdir } from 'node:os';
import { EXIT, QlaunchError } from '../errors.ts';
import { fullPath } from '../host/full.ts';
import { statePaths } from '../host/state-paths.ts';
import { shellLine } from '../plan/shell.ts';

/** undefined: a bug of ours. */
export function asHostError(
  error: unknown,
  env: NodeJS.ProcessEnv = process.env,
  uid: number = process.geteuid?.() ?? 0,
): QlaunchError | undefined {
  if (!(error instanceof Error) || !('code' in error) || !('syscall' in error)) return undefined;
  const { syscall, path, code } = error as NodeJS.ErrnoException;
  const places = statePaths(env, uid);
  // write(2) does not tell the path; ours are few.
  const full =
    code === 'ENOSPC' ? fullPath([places.runtime, places.state, places.config, tmpdir(), '.']) : undefined;
  const where = path ?? full;
  const what = `the system refused ${syscall}${where === undefined || syscall?.includes(where) ? '' : ` ${where}`}`;
  const why = [error.message, ...(full === undefined ? [] : [`the file system of ${full} is full`])];
  const isHome =
    uid !== 0 && syscall === 'mkdir' && path !== undefined && `${places.state}/`.startsWith(`${path}/`);
  // spawn(2) does not tell a program that may not be run from a working directory that may not be entered.
  const here = syscall?.startsWith('spawn') ? ['.'] : [];
  const look =
    full !== undefined ? ['df', '-h', full] : path === undefined ? [] : ['ls', '-ld', ...here, path];
  const todo = [
    ...(isHome
      ? ['export XDG_STATE_HOME=$(mktemp -d)   # or another directory that is yours: HOME can not be used']
      : []),
    ...(look.length === 0 || isHome ? [] : [shellLine(look)]),
  ];
  return new QlaunchError('QL_HOST', EXIT.host, { what, why, todo }, { cause: error });
}
