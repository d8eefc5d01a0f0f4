/** Networks where nft is missing: by iptables, whichever it is, with the same promises. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { linuxMachine } from '../../../src/host/linux.ts';
import { liveForwards } from '../../../src/host/nat/forwards.ts';
import { forwardSteps } from '../../../src/plan/nat/guest.ts';
import type { Forward } from '../../../src/spec/forward.ts';
import { world } from '../../tiers/cli.ts';
import { scratchDir } from '../../tiers/guest.ts';
import { internet, UPLINK } from '../../tiers/internet.ts';
import { onlyIptables } from '../../tiers/iptables.ts';
import { hostSecret, reachLoopback } from '../../tiers/loopback.ts';
import { type Station, station } from '../../tiers/station.ts';

const sh = (line: string, input = ''): string =>
  execFileSync('sh', ['-c', line], { encoding: 'utf8', input });
/** What it gets there; nobody waits long for what is not to come. */
const asks = (name: string, url: string, seconds = '10'): string =>
  spawnSync('ip', ['netns', 'exec', name, 'busybox', 'timeout', seconds, 'busybox', 'wget', '-qO-', url], {
    encoding: 'utf8',
  }).stdout;

/** What it gets of them all, at the same time. */
async function tries(name: string, urls: readonly string[]): Promise<string> {
  const line = urls.map((url) => `busybox timeout 1 busybox wget -qO- ${url} &`).join(' ');
  const child = spawn('ip', ['netns', 'exec', name, 'sh', '-c', `{ ${line} wait; } 2>/dev/null`]);
  return (await child.stdout.toArray()).join('');
}

/** Its page is its name. */
function serve({ name, run }: Station): void {
  const page = scratchDir();
  writeFileSync(join(page, 'index.html'), `${name}\n`);
  run('busybox', 'httpd', '-p', '80', '-h', page);
  onTestFinished(() => void sh(`ip netns pids ${name} | xargs -r kill`));
}

/** From their first rule on they are there, empty, whoever takes it away. */
function makeTables(program: string): void {
  for (const table of ['raw', 'mangle', 'nat'])
    for (const verb of ['-A', '-D']) sh(`${program} -t ${table} ${verb} OUTPUT -j ACCEPT`);
}

/** As a host that has a firewall: only what is asked for gets in, and nothing passes. */
const CLOSED = [
  '*filter\n:INPUT DROP\n:FORWARD DROP\n',
  '-A INPUT -i lo -j ACCEPT\n-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT\n',
  '-A FORWARD -i other0 -j REJECT\nCOMMIT\n',
].join('');

/** Out, not in but by a forward; and nothing is left. */
export async function worksBy(kind: 'nft' | 'legacy'): Promise<void> {
  const host = onlyIptables(kind);
  const net = await internet();
  for (const program of ['iptables', 'ip6tables']) {
    makeTables(program);
    sh(`${program}-restore`, CLOSED);
  }
  const w = world();
  onTestFinished(async () => {
    for (const name of ['lab', 'default']) await w.qlaunch('net', 'stop', name, '--force');
  });
  const [before, rules] = [host.snapshot(), host.rules()];

  // Killed behind the rules of the first table, and healed by the next start.
  const safe = host.deadly();
  const { child } = w.start(['net', 'start', 'default']);
  await once(child, 'close');
  safe();
  expect(child.signalCode ?? child.exitCode).toMatch(/SIGKILL|137/);
  expect(host.rules()).toMatch(/^-A ql-[0-9a-f]{12}-loop /m);
  expect(await w.qlaunch('recover')).toMatchObject({ status: 0 });
  expect(host.rules()).toBe(rules);

  expect(await w.qlaunch('net', 'start', 'default')).toMatchObject({ status: 0, stderr: '' });
  const guest = station('guest', 'virbr0');
  const address = guest.dhcp() ?? guest.dhcp();
  expect(address).toMatch(/^192\.168\.122\./);
  expect(guest.fetch(net.url)).toBe(`${net.nonce}\n`);
  await expect.poll(() => net.askedBy.length, { timeout: 10_000 }).toBeGreaterThan(0);
  const [, from, port] = /^(.*):(\d+)$/.exec(net.askedBy.at(-1) ?? '') ?? [];
  expect([from, Number(port) >= 1024]).toEqual([UPLINK, true]);
  serve(guest);
  sh(`ip -n router route add 192.168.122.0/24 via ${UPLINK}`);
  expect(asks('router', `http://${address}/`, '1')).toBe('');

  // Forwards: from outside, from the host and its loopback, from a neighbour.
  const mac = readFileSync('/sys/class/net/virbr0/address', 'utf8').trim();
  const to = {
    tap: 'guest0',
    mac: '52:54:00:00:00:05',
    address: address ?? '',
    subnet: '192.168.122.0/24',
  };
  const forward = (at: string, hostPort: number): Forward => ({
    ...{ proto: 'tcp', address: at, hostPort, guestPort: 80 },
  });
  const all = [forward('127.0.0.1', 18080), forward('0.0.0.0', 18081), forward(UPLINK, 18082)];
  const steps = all.flatMap((one) =>
    forwardSteps({ ...to, bridge: 'virbr0', bridgeMac: mac, iptables: true }, one, 'qlaunch:vm/x:ab'),
  );
  for (const { do: what } of steps)
    if ('run' in what) sh(what.run.join(' '), what.stdin ?? '');
    else if ('write' in what) writeFileSync(what.write, what.value);
  const live = [...(await liveForwards(linuxMachine()))].sort((a, b) => a.hostPort - b.hostPort);
  expect(live).toEqual(
    all.map(({ address: at, hostPort }) => ({
      ...{
        table: expect.stringMatching(/^inet qlaunch_fwd_/),
        shownBy: 'iptables -t nat -S',
        proto: 'tcp',
      },
      ...{ mark: 'qlaunch:vm/x:ab', address: at, hostPort, bridge: 'virbr0', loopback: at !== UPLINK },
    })),
  );
  for (const url of ['127.0.0.1:18080', '127.0.0.1:18081', `${UPLINK}:18081`, `${UPLINK}:18082`])
    expect(await (await fetch(`http://${url}/`)).text(), url).toBe('guest\n');
  expect(asks('router', `http://${UPLINK}:18081/`)).toBe('guest\n');
  const peer = station('peer', 'virbr0');
  peer.run('ip', 'address', 'add', '192.168.122.3/24', 'dev', 'eth0');
  peer.run('ip', 'route', 'add', 'default', 'via', '192.168.122.1');
  expect(asks('peer', `http://${UPLINK}:18082/`)).toBe('guest\n');
  // Neither a guest nor who is on the uplink reaches 127.0.0.0/8.
  const secret = await hostSecret();
  reachLoopback('peer', '192.168.122.1', '192.168.122.3');
  reachLoopback('router', UPLINK, '203.0.113.1');
  const urls = [secret, 'http://127.0.0.1:18080/', 'http://127.0.0.1:18081/'];
  expect(await Promise.all(['peer', 'router'].map((name) => tries(name, urls)))).toEqual(['', '']);
  expect(sh('iptables -t raw -v -S')).toMatch(/-i virbr0 .*-c [1-9]|-d 127.0.0.0\/8 .*-c [1-9]/);
  const localnet = (): string => readFileSync('/proc/sys/net/ipv4/conf/virbr0/route_localnet', 'utf8').trim();
  for (const [nth, { undo }] of [...steps.entries()].reverse()) {
    if ('run' in undo) execFileSync(undo.run[0], undo.run.slice(1));
    if (nth === 3) expect(localnet()).toBe('1');
  }
  expect(localnet()).toBe('0');
  expect(asks('router', `http://${UPLINK}:18082/`, '1')).toBe('');

  // Somebody's flush is seen, and mended.
  const finding = async (): Promise<unknown> =>
    JSON.parse((await w.qlaunch('net', 'check', 'default', '--no-probe', '--json')).stdout).findings.find(
      ({ id }: { id: string }) => id === 'net-table',
    );
  expect(await finding()).toMatchObject({ state: 'ok' });
  sh('iptables -F; iptables -t nat -F');
  expect(await finding()).toMatchObject({ state: 'problem' });
  expect(guest.fetch(net.url)).toBeUndefined();
  expect(await w.qlaunch('net', 'check', '--fix', '--no-probe')).toMatchObject({ status: 0 });
  expect(await finding()).toMatchObject({ state: 'ok' });
  expect(guest.fetch(net.url)).toBe(`${net.nonce}\n`);
  sh('iptables-restore', CLOSED);
  expect(await w.qlaunch('net', 'check', '--fix', '--no-probe')).toMatchObject({ status: 0 });

  // What can not be mended is not taken away either: a rule of somebody else keeps a chain of ours.
  const sorted = (): readonly string[] => host.rules().split('\n').sort();
  const [, chain = ''] = /^:(ql-\S+-pass) /m.exec(host.rules()) ?? [];
  sh(`iptables -D ${chain} -i virbr0 -j ACCEPT; iptables -A INPUT -i other0 -g ${chain}`);
  const broken = sorted();
  expect(await w.qlaunch('net', 'check', '--fix', '--no-probe')).toMatchObject({ status: 4 });
  expect(sorted()).toEqual(broken);
  sh(`iptables -D INPUT -i other0 -g ${chain}`);
  expect(await w.qlaunch('net', 'check', '--fix', '--no-probe')).toMatchObject({ status: 0 });
  expect(guest.fetch(net.url)).toBe(`${net.nonce}\n`);

  // nft comes to the host: what runs goes on by iptables.
  const nftGoes = host.nftComes();
  expect(await finding()).toMatchObject({ state: 'ok', fact: expect.stringContaining('of iptables') });
  sh(`iptables -D ${chain} -i virbr0 -j ACCEPT`);
  expect(await finding()).toMatchObject({ state: 'problem', fact: expect.stringContaining('not whole') });
  expect(await w.qlaunch('net', 'check', '--fix', '--no-probe')).toMatchObject({ status: 0 });
  expect(await finding()).toMatchObject({ state: 'ok' });
  expect(sh('nft list tables inet')).toBe('');
  nftGoes();

  // Docker puts itself first, which in iptables is final.
  sh('iptables -N DOCKER; iptables -A FORWARD -o docker0 -j DOCKER');
  expect((await w.qlaunch('net', 'check', '--no-probe')).stdout).toMatch(/problem .*containers of docker0 /);
  sh('iptables -I FORWARD -i docker0 ! -o docker0 -j ACCEPT');
  expect(await finding()).toMatchObject({ fact: expect.stringMatching(/guard nothing: .* -i docker0 ! /) });
  expect(await w.qlaunch('net', 'check', '--fix', '--no-probe')).toMatchObject({ status: 0 });
  sh('iptables -D FORWARD -o docker0 -j DOCKER; iptables -X DOCKER');
  expect((await w.qlaunch('net', 'check', '--no-probe')).stdout).not.toContain('containers');
  expect(await finding()).toMatchObject({ state: 'ok' });
  sh('iptables -D FORWARD -i docker0 ! -o docker0 -j ACCEPT');

  // Each network guards its own guests from the other's, whichever was started first.
  const words = ['--subnet', '10.94.0.0/24', '--bridge', 'lab0'];
  expect(await w.qlaunch('net', 'create', 'lab', ...words)).toMatchObject({ status: 0 });
  expect(await w.qlaunch('net', 'start', 'lab')).toMatchObject({ status: 0, stderr: '' });
  const other = station('other', 'lab0');
  other.run('ip', 'address', 'add', '10.94.0.3/24', 'dev', 'eth0');
  other.run('ip', 'route', 'add', 'default', 'via', '10.94.0.1');
  serve(other);
  expect(other.fetch(net.url)).toBe(`${net.nonce}\n`);
  expect([guest.fetch('http://10.94.0.3/'), other.fetch(`http://${address}/`)]).toEqual([
    undefined,
    undefined,
  ]);

  for (const name of ['other', 'peer', 'guest']) sh(`ip link delete dev ${name}0`);
  for (const name of ['default', 'lab'])
    expect(await w.qlaunch('net', 'stop', name)).toMatchObject({ status: 0 });
  expect(host.rules()).toBe(rules);
  expect(host.since(before)).toEqual([]);
}
