/** A definition is written down, or forgotten. */
import { makeDirectory, putFile } from '../files.ts';
import { DEADLINE_MS, type FilePath, type Plan } from '../step.ts';

export interface DefinitionPaths {
  /** /etc/qlaunch, and below it the folder of definitions, and the file. */
  readonly config: FilePath;
  readonly folder: FilePath;
  readonly file: FilePath;
}

export function planDefine<Facts>(paths: DefinitionPaths, content: string): Plan<Facts> {
  return {
    steps: [
      makeDirectory(paths.config),
      makeDirectory(paths.folder),
      putFile({ path: paths.file, content, mode: 0o644 }),
    ],
  };
}

/** The leases go with it: another network of that name is another network. */
export function planUndefine<Facts>({ file }: DefinitionPaths, leases: FilePath): Plan<Facts> {
  return {
    steps: [
      {
        title: `remove ${file}`,
        do: { run: ['rm', '-f', '--', file, leases] },
        undo: { nothing: 'it is the last step' },
        deadlineMs: DEADLINE_MS,
        durable: true,
      },
    ],
  };
}
