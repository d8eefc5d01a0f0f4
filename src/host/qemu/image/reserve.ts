/** Taking a new file's name, or none: what is there already is never touched. */
import { closeSync, openSync, rmSync } from 'node:fs';
import type { Argv } from '../../../plan/step.ts';
import type { ImageTools } from './open.ts';

/** undefined when the empty file was made; EEXIST, or the system's words. */
export async function reserveFile(
  { host, runAs }: ImageTools,
  path: string,
): Promise<'EEXIST' | string | undefined> {
  if (runAs.length === 0) return reserveHere(path);
  // Made by the user it belongs to; noclobber opens with O_EXCL.
  const script = 'if [ -e "$1" ] || [ -L "$1" ]; then echo EEXIST; else set -C; : >"$1"; fi';
  const argv = [...runAs, '/bin/sh', '-c', script, 'sh', path] as unknown as Argv;
  const { status, stdout, stderr } = await host.run(argv, { timeoutMs: 10_000 });
  if (stdout.startsWith('EEXIST') || /cannot overwrite existing file|File exists/.test(stderr))
    return 'EEXIST';
  return status === 0 ? undefined : stderr.trim();
}

function reserveHere(path: string): string | undefined {
  try {
    closeSync(openSync(path, 'wx', 0o644));
    return undefined;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === 'EEXIST' ? code : message;
  }
}

/** Takes back what reserveFile() made, after qemu-img failed. */
export async function releaseFile({ host, runAs }: ImageTools, path: string): Promise<void> {
  if (runAs.length === 0) rmSync(path, { force: true });
  else await host.run([...runAs, 'rm', '-f', '--', path] as unknown as Argv, { timeoutMs: 10_000 });
}
