/** What a QEMU has started: network scripts and helpers, with what those have started. */
import { readdirSync, readFileSync } from 'node:fs';
import { processStart } from '../ids.ts';

export interface Child {
  readonly pid: number;
  /** As in ProcessId: a pid alone is used again. */
  readonly start: number;
  readonly argv: readonly string[];
}

/** All below `pid`, parents first. */
export function childrenOf(pid: number): readonly Child[] {
  const parents = new Map(processes().map((one) => [one, parentOf(one)]));
  const below = (of: number): readonly number[] =>
    [...parents].filter(([, parent]) => parent === of).flatMap(([one]) => [one, ...below(one)]);
  return below(pid).flatMap((one) => {
    const start = processStart(one);
    return start === undefined ? [] : [{ pid: one, start, argv: argvOf(one) }];
  });
}

/** Those of them that still live are killed. */
export function killChildren(children: readonly Child[]): void {
  for (const { pid, start } of children) {
    try {
      if (processStart(pid) === start) process.kill(pid, 'SIGKILL');
    } catch {
      // It has just ended, or runs with the rights of somebody else.
    }
  }
}

const processes = (): readonly number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);

/** proc(5): field 4, behind the name, which may hold anything. */
function parentOf(pid: number): number | undefined {
  const stat = read(pid, 'stat');
  const parent = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1];
  return parent === undefined ? undefined : Number(parent);
}

const argvOf = (pid: number): readonly string[] => read(pid, 'cmdline').split('\0').slice(0, -1);

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
