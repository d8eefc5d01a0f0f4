/** Who and where we are. */
import { randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import type { ProcessId, World } from './port.ts';

export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
}

/** undefined when there is no such process, or only its corpse. */
export function processStart(pid: number): number | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // The second field is the name in parentheses and may hold anything; field 3 follows the last ')'.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, start] = [fields[0], fields[19]];
  return state === 'Z' || state === 'X' || start === undefined ? undefined : Number(start);
}

const namespace = (kind: 'net' | 'pid'): string => readlinkSync(`/proc/self/ns/${kind}`);

/** undefined when it is dead already. */
function processId(pid: number): ProcessId | undefined {
  const start = processStart(pid);
  return start === undefined ? undefined : { pid, start, bootId: bootId(), pidns: namespace('pid') };
}

export function readWorld(): World {
  const self = processId(process.pid);
  if (self === undefined) throw new Error('/proc does not show this process');
  return {
    bootId: self.bootId,
    netns: namespace('net'),
    self,
    process: processId,
    alive(other) {
      if (other.bootId !== self.bootId) return 'dead';
      if (other.pidns !== self.pidns) return 'unknown';
      return processStart(other.pid) === other.start ? 'alive' : 'dead';
    },
  };
}

/** 12 hex digits. */
export function newToken(): string {
  return randomBytes(6).toString('hex');
}
