/** Debian's own network managers, unpacked and not installed, started as at boot with what is below /etc. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type World, world } from '../../tiers/cli.ts';
import { SYSTEM_BUS } from '../../tiers/system-bus.ts';
import { ip, NIC, settled } from './outside.ts';

export const NETWORK_MANAGERS: string = execFileSync(
  new URL('../../../scripts/network-managers', import.meta.url).pathname,
  {
    encoding: 'utf8',
  },
).trim();

const libraries = ['usr/lib', 'lib'].flatMap((dir) => [
  `${NETWORK_MANAGERS}/${dir}/x86_64-linux-gnu`,
  `${NETWORK_MANAGERS}/${dir}/x86_64-linux-gnu/systemd`,
]);
const ENV: NodeJS.ProcessEnv = {
  ...process.env,
  LC_ALL: 'C',
  LD_LIBRARY_PATH: libraries.join(':'),
};

/** A world whose programs are found in `bin` first; files that a test writes below `dirs` go with it. */
export function hostWith(bin: string | undefined, ...dirs: readonly string[]): World {
  for (const dir of dirs) mkdirSync(dir, { recursive: true });
  onTestFinished(() => {
    for (const dir of dirs) rmSync(dir, { recursive: true, force: true });
  });
  const before = process.env['PATH'];
  if (bin !== undefined) {
    process.env['PATH'] = `${bin}:${before}`;
    onTestFinished(() => {
      process.env['PATH'] = before;
    });
  }
  return world();
}

/**
 * Starts a daemon as where no udev runs: a /sys that can not be written says so to all of them. Gives its output; it
 * ends with the test, or by what is returned second.
 */
export function daemon(argv: readonly string[]): {
  readonly log: () => string;
  readonly end: () => Promise<void>;
} {
  const shell = 'mount -o remount,ro,bind /sys && exec "$@"';
  const child: ChildProcess = spawn('unshare', ['-m', 'sh', '-c', shell, 'sh', ...argv], {
    env: { ...ENV, SYSTEMD_LOG_LEVEL: 'info', SYSTEMD_LOG_TARGET: 'console' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
  const gone = once(child, 'exit');
  const end = async (): Promise<void> => {
    child.kill('SIGTERM');
    await gone;
  };
  onTestFinished(end);
  return { log: () => text, end };
}

/** What systemd's own start-up makes for it. */
export function networkd(): ReturnType<typeof daemon> {
  const user = 'systemd-network';
  if (!readFileSync('/etc/passwd', 'utf8').includes(`\n${user}:`)) {
    appendFileSync('/etc/passwd', `${user}:x:998:998::/:/usr/sbin/nologin\n`);
    appendFileSync('/etc/group', `${user}:x:998:\n`);
  }
  const [uid, gid] = ['-u', '-g'].map((which) =>
    Number(execFileSync('id', [which, user], { encoding: 'utf8' })),
  );
  for (const dir of ['', '/links', '/leases', '/lldp']) {
    mkdirSync(`/run/systemd/netif${dir}`, { recursive: true });
    chownSync(`/run/systemd/netif${dir}`, uid ?? 0, gid ?? 0);
  }
  return daemon([`${NETWORK_MANAGERS}/lib/systemd/systemd-networkd`]);
}

const json = (line: string): readonly Record<string, unknown>[] =>
  JSON.parse(ip(line)) as Record<string, unknown>[];

/** What has to be the same after a boot, and on the port nothing. */
export function bridgeNow(): Readonly<Record<string, unknown>> {
  const [link = {}] = json('-d -j link show br0');
  const { info_data: info = {} } = (link['linkinfo'] ?? {}) as { info_data?: Record<string, unknown> };
  const addresses = (of: string): readonly string[] =>
    json(`-j address show dev ${of}`).flatMap(({ addr_info }) =>
      (addr_info as { local: string; prefixlen: number; broadcast?: string; scope: string }[])
        .filter(({ scope }) => scope !== 'link')
        .map(({ local, prefixlen, broadcast }) => `${local}/${prefixlen} ${broadcast ?? ''}`.trim()),
    );
  const ports = readdirSync('/sys/class/net/br0/brif');
  return {
    ...{
      mac: link['address'],
      mtu: link['mtu'],
      stp: info['stp_state'],
      delay: info['forward_delay'],
      ports,
    },
    addresses: addresses('br0').toSorted(),
    onPorts: ports.flatMap(addresses),
    routes: ['', '-6 ']
      .flatMap((family) => json(`${family}-j route show`))
      .filter(({ dst }) => !String(dst).startsWith('fe80'))
      .map(({ dst, gateway, dev, metric }) => `${dst} ${gateway ?? ''} ${dev} ${metric ?? 0}`)
      .toSorted(),
  };
}

/** What no file says: rules of the NIC, a table of its own, two ways out. */
export const POLICY: readonly string[] = [
  `address add 10.9.0.50/24 brd + dev ${NIC}`,
  `route add default nexthop via 10.9.0.1 dev ${NIC} weight 2 nexthop via 10.9.0.2 dev ${NIC} weight 1`,
  `route add 10.7.0.0/16 via 10.9.0.1 dev ${NIC} table 7 src 10.9.0.50`,
  `rule add iif ${NIC} fwmark 0x1/0xff priority 100 table 7`,
  'rule add not from 10.9.0.50 to 10.6.0.0/16 priority 101 table 7',
];

/** … of the bridge, without what a manager adds of its own. */
export const policyNow = (): readonly string[] =>
  ['rule show', 'route show table 7', 'route show default'].flatMap((line) =>
    ip(line)
      .split('\n')
      .map((one) => one.replaceAll(/ (proto|metric) \S+|(?<= )linkdown /g, '').trim())
      .filter((one) => one !== ''),
  );

/** A line for sh that runs what `netplan generate` runs. */
export const generator: string = `env LD_LIBRARY_PATH=${libraries.join(':')} ${NETWORK_MANAGERS}/usr/libexec/netplan/generate`;

/** A bus of their own, where they may have their names. */
export async function bus(): Promise<ReturnType<typeof daemon>> {
  mkdirSync('/run/dbus', { recursive: true });
  rmSync('/run/dbus/system_bus_socket', { force: true });
  writeFileSync('/run/dbus/test.conf', SYSTEM_BUS);
  // Its log goes to the system's, of which there is none here.
  const own = daemon([
    `${NETWORK_MANAGERS}/usr/bin/dbus-daemon`,
    '--config-file=/run/dbus/test.conf',
    '--nofork',
  ]);
  await settled(() => existsSync('/run/dbus/system_bus_socket'));
  return own;
}

/** A directory with `networkctl` and the like, as programs that find their libraries. */
export function programs(...paths: readonly string[]): string {
  const bin = mkdtempSync(join(tmpdir(), 'programs-'));
  onTestFinished(() => rmSync(bin, { recursive: true, force: true }));
  for (const path of paths)
    writeFileSync(
      join(bin, basename(path)),
      `#!/bin/sh\nexec env LD_LIBRARY_PATH=${libraries.join(':')} ${NETWORK_MANAGERS}/${path} "$@"\n`,
      { mode: 0o755 },
    );
  return bin;
}

export async function networkManager(): Promise<ReturnType<typeof daemon>> {
  for (const dir of ['/run/NetworkManager', '/etc/NetworkManager', '/var/lib/NetworkManager'])
    mkdirSync(dir, { recursive: true });
  const own = await bus();
  writeFileSync(
    '/etc/NetworkManager/NetworkManager.conf',
    '[main]\nplugins=keyfile\nauth-polkit=false\ndns=none\nrc-manager=unmanaged\nno-auto-default=*\n[device]\nmatch-device=*\nmanaged=1\n',
  );
  const nm = daemon([`${NETWORK_MANAGERS}/usr/sbin/NetworkManager`, '--no-daemon', '--log-level=INFO']);
  return {
    log: () => nm.log() + own.log(),
    end: async () => {
      await nm.end();
      await own.end();
      rmSync('/run/dbus/system_bus_socket', { force: true });
    },
  };
}

/** nmcli without a daemon: a profile from stdin, as it understands it. */
export const offline = (argv: readonly string[], input: string = ''): string =>
  execFileSync(`${NETWORK_MANAGERS}/usr/bin/nmcli`, ['--offline', ...argv], {
    encoding: 'utf8',
    env: ENV,
    input,
  });
