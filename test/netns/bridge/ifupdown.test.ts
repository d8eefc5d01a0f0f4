// needs: bridge, veth
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { type World, world } from '../../tiers/cli.ts';
import { cable, ip, NIC, quiet } from './outside.ts';

/** Debian's own, unpacked; what it calls by an absolute path is below /etc, which is the sandbox's copy. */
const ROOT = execFileSync(new URL('../../../scripts/ifupdown', import.meta.url).pathname, {
  encoding: 'utf8',
}).trim();
const PATH = `${ROOT}/sbin:${process.env['PATH']}`;
const INTERFACES = '/etc/network/interfaces';
const HOOK = '/etc/network/if-pre-up.d/bridge';

/** As an administrator wrote it: comments, several links in one line, a line that goes on, options of all kinds. */
const OLD = `# This file describes the network interfaces.
source /etc/network/interfaces.d/*

auto lo ${NIC}
iface lo inet loopback

# The office LAN.
iface ${NIC} inet static
	address 10.9.0.50/24
	gateway 10.9.0.1
	# Asked for by the backup people.
	post-up ip route add 10.7.0.0/16 \\
		via 10.9.0.1 dev ${NIC}
iface ${NIC} inet6 static
	address fd09::50/64
	dad-attempts 0
`;

function run(program: string, ...args: readonly string[]): string {
  return execFileSync(`${ROOT}/sbin/${program}`, args, { encoding: 'utf8', env: { ...process.env, PATH } });
}

function host(): World {
  mkdirSync('/etc/network/if-pre-up.d', { recursive: true });
  mkdirSync('/etc/network/interfaces.d', { recursive: true });
  for (const when of ['if-up.d', 'if-down.d', 'if-post-down.d'])
    mkdirSync(`/etc/network/${when}`, { recursive: true });
  mkdirSync('/run/network', { recursive: true });
  writeFileSync(INTERFACES, OLD, { mode: 0o640 });
  const script = readFileSync(`${ROOT}/lib/bridge-utils/ifupdown.sh`, 'utf8').replaceAll(
    /(?<![\w.])\/(lib\/bridge-utils|sbin\/brctl)/g,
    `${ROOT}/$1`,
  );
  for (const hook of [HOOK, '/etc/network/if-post-down.d/bridge']) {
    // ifup sets a PATH of its own, in which what is only unpacked is not.
    writeFileSync(hook, script.replace('\n', `\nPATH=${ROOT}/sbin:$PATH\n`));
    chmodSync(hook, 0o755);
  }
  onTestFinished(() => {
    rmSync('/etc/network', { recursive: true });
    rmSync('/run/network', { recursive: true });
  });
  const of = world();
  return { ...of, qlaunch: (...args) => withPath(() => of.qlaunch(...args)) };
}

/** The programs that qlaunch finds are those of this process. */
function withPath<T>(work: () => Promise<T>): Promise<T> {
  const before = process.env['PATH'];
  process.env['PATH'] = PATH;
  return work().finally(() => {
    process.env['PATH'] = before;
  });
}

/** What there is at boot, before ifupdown. */
function reboot(): void {
  ip('link delete br0');
  ip(`link set ${NIC} down`);
  ip(`address flush dev ${NIC}`);
  execFileSync('sysctl', ['-qw', `net.ipv6.conf.${NIC}.disable_ipv6=0`, `net.ipv6.conf.${NIC}.accept_dad=1`]);
  rmSync('/run/network', { recursive: true });
  mkdirSync('/run/network');
}

const layer3 = (): string[] => [
  ...ip('-o address show dev br0 scope global')
    .split('\n')
    .map((line) =>
      line
        .replace(/^\d+: | valid_lft.*$/g, '')
        .replaceAll(/[\\\s]+/g, ' ')
        .trim(),
    ),
  ...ip('route show')
    .split('\n')
    .map((line) => line.replace(/ linkdown| onlink/g, '').trim()),
];

test('once confirmed, ifupdown makes the same bridge at boot; deleted, its file is as it was, byte for byte', async () => {
  const { qlaunch } = host();
  cable();
  run('ifup', NIC);
  await quiet();
  const create = ['bridge', 'create', 'br0', '--uplink', NIC, '--persist'];
  const { stdout } = await qlaunch(...create, '--dry-run');
  expect(stdout).toContain(`#qlaunch# iface ${NIC} inet static`);
  expect(await qlaunch(...create)).toMatchObject({ status: 0, stderr: '' });
  expect(readFileSync(INTERFACES, 'utf8')).toBe(OLD);
  expect(await qlaunch('bridge', 'confirm')).toMatchObject({
    status: 0,
    stderr: expect.stringContaining(`br0 is kept, and made at every boot (${INTERFACES})`) as string,
  });
  const now = layer3();
  expect(run('ifquery', '--state').trim().split('\n').sort()).toEqual(['br0=br0']);

  reboot();
  run('ifup', '-a', '--exclude=lo');
  expect(layer3()).toEqual(now);
  expect(readFileSync('/sys/class/net/br0/address', 'utf8')).toBe('52:54:00:aa:bb:01\n');
  expect(readFileSync('/sys/class/net/br0/bridge/stp_state', 'utf8')).toBe('0\n');
  expect(ip(`-o link show dev ${NIC}`)).toContain('master br0');
  run('ifdown', 'br0');
  expect(existsSync('/sys/class/net/br0')).toBe(false);

  expect(await qlaunch('bridge', 'delete', 'br0')).toMatchObject({ status: 0 });
  expect(readFileSync(INTERFACES, 'utf8')).toBe(OLD);
}, 60_000);

test('--address: ifupdown makes at boot what the bridge has, and not what the NIC had', async () => {
  const { qlaunch } = host();
  cable();
  run('ifup', NIC);
  await quiet();
  const create = ['bridge', 'create', 'br0', '--uplink', NIC, '--persist', '--no-confirm'];
  expect(await qlaunch(...create, '--address', '10.9.0.77/24', '--address', '10.6.0.1/16')).toMatchObject({
    status: 0,
    stderr: '',
  });
  const now = layer3();
  reboot();
  run('ifup', '-a', '--exclude=lo');
  expect(layer3()).toEqual(now);
  expect(now.join()).not.toContain('10.9.0.50');
  run('ifdown', 'br0');
  expect(await qlaunch('bridge', 'delete', 'br0')).toMatchObject({ status: 0 });
  expect(readFileSync(INTERFACES, 'utf8')).toBe(OLD);
}, 60_000);

test('a bridge without an uplink: the same, in front of nothing', async () => {
  const { qlaunch } = host();
  const create = [
    'bridge',
    'create',
    'br0',
    '--persist',
    '--address',
    '192.0.2.1/24',
    '--address',
    '2001:db8::1/64',
  ];
  expect(await qlaunch(...create, '--address', '192.0.2.2/24', '--mtu', '1400')).toMatchObject({ status: 0 });
  const now = layer3();
  ip('link delete br0');
  run('ifup', 'br0');
  expect(layer3()).toEqual(now);
  expect(readFileSync('/sys/class/net/br0/mtu', 'utf8')).toBe('1400\n');
  run('ifdown', 'br0');
  expect(await qlaunch('bridge', 'delete', 'br0')).toMatchObject({ status: 0 });
  expect(readFileSync(INTERFACES, 'utf8')).toBe(OLD);
});

test('--physdev and --bridge-nf accept: their rules are there once ifup made the bridge, and gone with it', async () => {
  const { qlaunch } = host();
  // Where ifup, which has a PATH of its own, finds programs that are not installed.
  execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', '/usr/local/sbin']);
  onTestFinished(() => void execFileSync('umount', ['/usr/local/sbin']));
  symlinkSync(`${ROOT}/sbin/iptables`, '/usr/local/sbin/iptables');
  const rules = (): readonly string[] =>
    run('iptables', '-S', 'FORWARD')
      .split('\n')
      .filter((line) => line.startsWith('-A'));
  onTestFinished(() => void execFileSync('nft', ['delete', 'table', 'ip', 'filter']));
  expect(rules()).toEqual([]);
  const create = ['bridge', 'create', 'br0', '--persist'];
  for (const [options, rule] of [
    [['--physdev'], '-A FORWARD -m physdev --physdev-is-bridged -j ACCEPT'],
    [['--bridge-nf', 'accept'], '-A FORWARD -i br0 -o br0 -j ACCEPT'],
  ] as const) {
    expect(await qlaunch(...create, ...options)).toMatchObject({ status: 0, stderr: '' });
    ip('link delete br0');
    run('ifup', 'br0');
    expect(rules()).toEqual([rule]);
    run('ifdown', 'br0');
    expect(rules()).toEqual([]);
    expect(await qlaunch('bridge', 'delete', 'br0')).toMatchObject({ status: 0 });
  }
  expect(readFileSync(INTERFACES, 'utf8')).toBe(OLD);
});

test('without bridge-utils, or where something else brings the NIC up, it is refused before anything is touched', async () => {
  const { qlaunch } = host();
  cable();
  ip(`address add 10.9.0.50/24 dev ${NIC}`);
  rmSync(HOOK);
  const create = ['bridge', 'create', 'br0', '--uplink', NIC, '--persist'];
  expect((await qlaunch(...create)).stderr).toContain('sudo apt install bridge-utils');
  writeFileSync(INTERFACES, 'auto lo\n');
  expect((await qlaunch(...create)).stderr).toContain(
    `nothing that qlaunch can read brings ${NIC} up at boot`,
  );
  const ifupdown = await qlaunch(...create.slice(0, -1), '--persist=ifupdown');
  expect(ifupdown.stderr).toContain(`nothing in ${INTERFACES} brings ${NIC} up`);
  expect(existsSync('/sys/class/net/br0')).toBe(false);
});
