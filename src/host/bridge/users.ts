/** Programs that would lose a NIC that becomes a port, found by their command lines. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';

export interface Process {
  readonly pid: number;
  /** Field 22 of /proc/PID/stat: with the pid it names one life. */
  readonly start: string;
  /** "dhclient"; of `busybox udhcpc`: "udhcpc". */
  readonly program: string;
  readonly argv: readonly string[];
}

/** Those in our network namespace that name the link on their command line. */
export function processesNaming(link: string): readonly Process[] {
  const netns = readlinkSync('/proc/self/ns/net');
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => {
    try {
      const argv = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
      const titled = TITLE.exec(argv[0] ?? '')?.[1];
      if (titled !== link && !argv.slice(1).some((word) => namesLink(word, link))) return [];
      if (readlinkSync(`/proc/${pid}/ns/net`) !== netns) return [];
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const start = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
      return [{ pid: Number(pid), start, program: programOf(argv), argv }];
    } catch {
      // It has ended, or is not ours to look at.
      return [];
    }
  });
}

/** dhcpcd writes over its command line: "dhcpcd: eth0 [ip4]"; of one for all links "dhcpcd: [manager] [ip4] [ip6]". */
const TITLE = /^dhcpcd: (\S+)/;

/** The one for all links, in our network namespace. */
export const dhcpcdManager = (): Process | undefined => processesNaming('[manager]')[0];

/** "eth0", "-ieth0", "--interface=eth0" */
function namesLink(word: string, link: string): boolean {
  return word === link || word === `-i${link}` || word.endsWith(`=${link}`);
}

function programOf([first = '', second = '']: readonly string[]): string {
  if (TITLE.test(first)) return 'dhcpcd';
  const name = basename(first);
  return name === 'busybox' ? basename(second) : name;
}
