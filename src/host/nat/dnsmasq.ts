/** The dnsmasq of one network. It outlives every command, so none of our descriptors reaches it. */
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { EXIT, QlaunchError } from '../../errors.ts';
import { type DnsmasqPaths, dnsmasqArgv, stopDnsmasqArgv } from '../../plan/nat/dnsmasq.ts';
import { holdLock } from '../flock.ts';
import { processStart } from '../ids.ts';
import { linuxMachine } from '../linux.ts';
import { secureDirectory } from '../store.ts';

/** Reading resolv.conf, binding and going to the background. */
const START_MS = 10_000;

/** undefined: it does not run. A pid that is another process's by now does not count. */
export function dnsmasqPid({ pid: file, conf }: DnsmasqPaths): number | undefined {
  try {
    const pid = Number(readFileSync(file, 'latin1').trim());
    if (!(pid > 1) || processStart(pid) === undefined) return undefined;
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return words.includes(`--conf-file=${conf}`) ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** true: it had to be started. Throws QL_DNSMASQ (exit 4) with its words. */
export async function ensureDnsmasq(name: string, paths: DnsmasqPaths, lockPath: string): Promise<boolean> {
  const lock = await holdLock(lockPath, { what: `start dnsmasq of the network ${name}`, waitMs: START_MS });
  try {
    if (dnsmasqPid(paths) !== undefined) return false;
    secureDirectory(dirname(paths.leases));
    const result = await linuxMachine().run(dnsmasqArgv(paths), { timeoutMs: START_MS });
    if (result.status === 0) return true;
    throw new QlaunchError('QL_DNSMASQ', EXIT.host, {
      what: `dnsmasq of the network ${name} did not start`,
      why: [result.stderr.trim() || 'it said nothing'],
      todo: ['ss -lnup "sport = 53 or sport = 67"   # who else listens there'],
    });
  } finally {
    lock.release();
  }
}

export async function stopDnsmasq(paths: DnsmasqPaths): Promise<void> {
  await linuxMachine().run(stopDnsmasqArgv(paths), { timeoutMs: START_MS });
}
