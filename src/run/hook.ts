/** A tap that QEMU made itself, put into a bridge and taken out again. */
import { EXIT, QlaunchError } from '../errors.ts';
import type { Host, RunResult } from '../host/port.ts';

const DEADLINE_MS = 10_000;

/**
 * Fails loudly: QEMU stops when its script fails, and a guest without network is worse than none.
 * Errors: QL_HOOK.
 */
export async function plugIn(host: Pick<Host, 'run'>, ifname: string, wanted?: string): Promise<void> {
  const bridge = wanted !== undefined && wanted !== '' ? wanted : await routeBridge(host);
  const batch = [`link set dev ${word(ifname)} master ${word(bridge)}`, `link set dev ${word(ifname)} up`];
  const result = await host.run(['ip', '-batch', '-'], {
    stdin: `${batch.join('\n')}\n`,
    timeoutMs: DEADLINE_MS,
  });
  if (result.status !== 0) throw failed(`could not make ${ifname} a port of ${bridge}`, result);
}

/** The tap goes away with QEMU; until then it leaves the bridge. One that is gone already is as good. */
export async function unplug(host: Pick<Host, 'run'>, ifname: string): Promise<void> {
  const argv = ['ip', 'link', 'set', 'dev', word(ifname), 'nomaster'] as const;
  const result = await host.run(argv, { timeoutMs: DEADLINE_MS });
  if (result.status !== 0 && !result.stderr.includes('Cannot find device'))
    throw failed(`could not take ${ifname} out of its bridge`, result);
}

/** As Debian's /etc/qemu-ifup: the bridge that carries the default route. */
async function routeBridge(host: Pick<Host, 'run'>): Promise<string> {
  const [routes, bridges] = await Promise.all([
    ask(host, 'route', 'show', 'default'),
    ask(host, 'link', 'show', 'type', 'bridge'),
  ]);
  const names = new Set(bridges.map(({ ifname }) => ifname));
  const found = routes.map(({ dev }) => dev).find((dev) => dev !== undefined && names.has(dev));
  if (found !== undefined) return found;
  throw new QlaunchError('QL_HOOK', EXIT.refused, {
    what: 'no bridge to plug the tap into',
    why: ['QLAUNCH_BRIDGE is not set', 'the default route does not go through a bridge'],
    todo: ['QLAUNCH_BRIDGE=br0 qemu-system-x86_64 …'],
  });
}

interface IpRow {
  readonly ifname?: string;
  readonly dev?: string;
}

async function ask(host: Pick<Host, 'run'>, ...words: string[]): Promise<readonly IpRow[]> {
  const result = await host.run(['ip', '-j', ...words], { timeoutMs: DEADLINE_MS });
  if (result.status !== 0) throw failed(`could not look at the host (ip ${words.join(' ')})`, result);
  return result.stdout.trim() === '' ? [] : (JSON.parse(result.stdout) as IpRow[]);
}

/** Interface names: 1-15 bytes without white space, "/" or ":" (dev_valid_name in linux/net/core/dev.c). */
function word(name: string): string {
  if (/^[^\s/:#'"\\]{1,15}$/.test(name) && name !== '.' && name !== '..') return name;
  throw new QlaunchError('QL_HOOK', EXIT.usage, {
    what: `${JSON.stringify(name)} is not the name of an interface`,
  });
}

function failed(what: string, result: RunResult): QlaunchError {
  return new QlaunchError('QL_HOOK', EXIT.host, {
    what,
    why: [result.timedOut ? 'ip did not answer in time' : result.stderr.trim()],
  });
}
