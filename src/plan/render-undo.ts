/** A settled undo as one line for a person with a root shell: what finishes the job by hand. */

import { shellLine, shellWord, withStdin } from './shell.ts';
import type { FileBefore, SettledUndo } from './undo.ts';
import { renderGiveBack } from './vfio/rebind.ts';
import { octal, renderKeep, renderWrite } from './words.ts';

export function renderByHand(undo: SettledUndo): string {
  if ('nothing' in undo) return `: ${undo.nothing.replaceAll(/\s+/g, ' ')}`;
  if ('run' in undo) {
    const command = shellLine(undo.run);
    return undo.stdin === undefined ? command : withStdin(command, undo.stdin);
  }
  if ('write' in undo) return renderWrite(undo.write, undo.value);
  if ('rebind' in undo) return renderGiveBack(undo);
  if ('unshare' in undo) return `qlaunch recover # ${undo.unshare}`;
  if ('rmdir' in undo) return shellLine(['rmdir', undo.rmdir]);
  return undo.before === null ? shellLine(['rm', '-f', undo.unfile]) : renderPutBack(undo, undo.before);
}

/** Pieces joined by && : the content beside it, its rights, the rename. */
export function renderPutBack(
  undo: { readonly unfile: string; readonly temp: string },
  before: FileBefore,
): string {
  const [path, temp] = [shellWord(undo.unfile), shellWord(undo.temp)];
  if ('linkTo' in before) return `ln -sfn ${shellWord(before.linkTo)} ${temp} && mv -Tf ${temp} ${path}`;
  const print = `printf %s ${shellWord(before.content)}`;
  const content = before.base64 === true ? `${print} | base64 -d` : print;
  const { uid, gid } = before.owner;
  return [
    `(umask 077 && ${content} > ${temp})`,
    ...(before.keep === true ? [renderKeep(path, temp)] : []),
    `chown ${uid}:${gid} ${temp}`,
    `chmod ${octal(before.mode)} ${temp}`,
    `touch -d @${(before.mtimeMs / 1000).toFixed(3)} ${temp}`,
    `mv -f ${temp} ${path}`,
  ].join(' && ');
}
