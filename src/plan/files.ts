/** Files and directories a plan puts on the disk. */
import { DEADLINE_MS, type FileOwner, type FilePath, type Step } from './step.ts';

export interface FileWish {
  readonly path: FilePath;
  readonly content: string;
  /** 0o644 unless given. */
  readonly mode?: number;
  readonly owner?: FileOwner;
}

export function putFile(wish: FileWish): Step {
  const owner = wish.owner === undefined ? {} : { owner: wish.owner };
  return {
    title: `write ${wish.path}`,
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
