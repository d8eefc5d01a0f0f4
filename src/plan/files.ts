/** Files and directories a plan puts on the disk. */
import { DEADLINE_MS, type FileOwner, type FilePath, type Step } from './step.ts';

export interface FileWish {
  readonly path: FilePath;
  readonly content: string;
  /** 0o644 unless given. */
  readonly mode?: number;
  readonly owner?: FileOwner;
}

export const putTitle = (path: string): string => `write ${path}`;

export function putFile(wish: FileWish): Step {
  const owner = wish.owner === undefined ? {} : { owner: wish.owner };
  return {
    title: putTitle(wish.path),
    do: { file: wish.path, content: wish.content, mode: wish.mode ?? 0o644, ...owner },
    undo: { restore: true },
    deadlineMs: DEADLINE_MS,
  };
}

export function makeDirectory(path: FilePath, mode: number = 0o755): Step {
  return {
    title: `make the directory ${path}`,
    do: { mkdir: path, mode },
    undo: { restore: true },
    deadlineMs: DEADLINE_MS,
  };
}

/** What is left of an earlier file of that name, for a person to look at; the journal has a copy of its own. */
export const backupPath = <Path extends string>(path: Path): `${Path}.before-qlaunch` =>
  `${path}.before-qlaunch`;
