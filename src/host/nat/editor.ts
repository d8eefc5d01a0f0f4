/** The user's editor on a text. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EXIT, QlaunchError } from '../../errors.ts';

export interface Edited {
  readonly text: string;
  /** Where the text is, until forget() is called. */
  readonly file: string;
  forget(): void;
}

/** $VISUAL, $EDITOR or vi, as a shell reads them: they may have options. Throws QL_EDITOR (exit 4); the text is kept. */
export function edit(name: string, text: string, env: NodeJS.ProcessEnv): Edited {
  const dir = mkdtempSync(join(tmpdir(), 'qlaunch-edit-'));
  const file = join(dir, name);
  writeFileSync(file, text, { mode: 0o600 });
  const editor = env['VISUAL'] || env['EDITOR'] || 'vi';
  const { status, error } = spawnSync('/bin/sh', ['-c', `${editor} "$1"`, 'edit', file], {
    stdio: 'inherit',
  });
  const forget = (): void => rmSync(dir, { recursive: true, force: true });
  if (status === 0) return { text: readFileSync(file, 'utf8'), file, forget };
  forget();
  throw new QlaunchError('QL_EDITOR', EXIT.host, {
    what: `the editor ${editor} failed, and nothing was changed`,
    why: [error?.message ?? `its exit status is ${status}`],
    todo: ['EDITOR=nano qlaunch net edit NAME   # with sudo: sudo EDITOR=nano …'],
  });
}
