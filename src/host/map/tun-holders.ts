/**
 * Which processes hold which taps: /proc/PID/fdinfo/FD of an open /dev/net/tun has a line `iff:` with the interface
 * (tun_chr_show_fdinfo() in drivers/net/tun.c). Readable for the process's user and for root.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import type { TunHolder } from '../../plan/map/facts.ts';
import { plainName } from '../ip-json.ts';

/** Those in our network namespace: a tap of the same name in another one is another tap. */
export function tunHolders(): readonly TunHolder[] {
  const netns = readlink('/proc/self/ns/net');
  return list('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      const taps = tapsOf(pid);
      if (taps.length === 0 || readlink(`/proc/${pid}/ns/net`) !== netns) return [];
      return [{ pid: Number(pid), taps, ...describe(pid) }];
    });
}

/** undefined: it is not ours to look at. */
export function isElsewhere(pid: number): boolean | undefined {
  const netns = readlink(`/proc/${pid}/ns/net`);
  return netns === undefined ? undefined : netns !== readlink('/proc/self/ns/net');
}

function tapsOf(pid: string): readonly string[] {
  const fds = list(`/proc/${pid}/fd`).sort((a, b) => Number(a) - Number(b));
  const open = fds.filter((fd) => readlink(`/proc/${pid}/fd/${fd}`)?.endsWith('/net/tun') === true);
  const names = open.flatMap((fd) => {
    const name = /^iff:\t(.+)$/m.exec(read(`/proc/${pid}/fdinfo/${fd}`))?.[1];
    return name === undefined ? [] : [plainName(name)];
  });
  // A tap with several queues is open several times.
  return [...new Set(names)];
}

function describe(pid: string): { program: string; guest?: string } {
  const words = read(`/proc/${pid}/cmdline`).split('\0');
  const program = basename(words[0] ?? '') || read(`/proc/${pid}/comm`).trim();
  const name = words[words.indexOf('-name') + 1];
  const guest = words.includes('-name') ? /^(?:guest=)?((?:[^,]|,,)+)/.exec(name ?? '')?.[1] : undefined;
  return guest === undefined ? { program } : { program, guest: guest.replaceAll(',,', ',') };
}

function list(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    // Another user's process, or it has just ended.
    return [];
  }
}

function readlink(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
