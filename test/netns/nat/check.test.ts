// needs: bridge, nft_inet, nft_nat, veth
/** qlaunch net check: whatever others take away of a network is named, and put back. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { forwardSteps, forwardTable } from '../../../src/plan/nat/guest.ts';
import { differences, snapshot } from '../../snapshot.ts';
import { type World, world } from '../../tiers/cli.ts';
import { scratchDir } from '../../tiers/guest.ts';
import { internet, UPLINK } from '../../tiers/internet.ts';
import { hostSecret, reachLoopback } from '../../tiers/loopback.ts';
import { station } from '../../tiers/station.ts';

const LAB = `<network><name>lab</name><forward mode='nat'/><bridge name='lab0' stp='off'/>
  <ip address='10.98.0.1' netmask='255.255.255.0'><dhcp><range start='10.98.0.10' end='10.98.0.90'/></dhcp></ip>
  <ip family='ipv6' address='fd98::1' prefix='64'/><route address='10.50.0.0' prefix='16' gateway='10.98.0.5'/>
  </network>`;

const sh = (line: string, input?: string): void =>
  void execFileSync('sh', ['-c', line], {
    stdio: ['pipe', 'inherit', 'inherit'],
    ...(input === undefined ? {} : { input }),
  });

async function started(): Promise<World> {
  const w = world();
  onTestFinished(async () => void (await w.qlaunch('net', 'stop', 'lab', '--force')));
  writeFileSync(join(w.dir, 'lab.xml'), LAB);
  expect(await w.qlaunch('net', 'define', 'lab.xml')).toMatchObject({ status: 0 });
  expect(await w.qlaunch('net', 'start', 'lab')).toMatchObject({ status: 0 });
  return w;
}

interface Report {
  readonly ok: boolean;
  readonly findings: readonly { readonly id: string; readonly state: string; readonly fact: string }[];
  readonly mended: readonly string[];
}

const probed = async (w: World): Promise<Report> =>
  JSON.parse((await w.qlaunch('net', 'check', '--json')).stdout) as Report;
const report = async (w: World, ...words: readonly string[]): Promise<Report> =>
  JSON.parse((await w.qlaunch('net', 'check', ...words, '--no-probe', '--json')).stdout) as Report;

const wrong = ({ findings }: Report): readonly string[] =>
  findings.filter(({ state }) => state !== 'ok').map(({ id }) => id);

async function killDnsmasq(w: World): Promise<void> {
  const { dnsmasqPid } = JSON.parse((await w.qlaunch('net', 'info', 'lab', '--json')).stdout);
  // Never 0, which kill(2) takes for all of us.
  if (typeof dnsmasqPid !== 'number' || dnsmasqPid < 2) throw new Error('no dnsmasq');
  process.kill(dnsmasqPid, 'SIGKILL');
  while ((await report(w, 'lab')).findings.every(({ id, state }) => id !== 'net-dnsmasq' || state === 'ok'))
    await sleep(20);
}

test('everything at once: named, mended, and taken back with the network', async () => {
  const { nonce, url } = await internet();
  const before = snapshot();
  const w = await started();
  expect(await report(w)).toMatchObject({ ok: true, mended: [] });

  sh('nft flush table inet qlaunch_lab');
  sh('sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0 net.ipv4.conf.lab0.route_localnet=1');
  sh('ip link set dev lab0 down; ip address flush dev lab0');
  await killDnsmasq(w);
  rmSync(join(w.dir, 'run/net/lab.conf'));
  const all = [
    'net-bridge',
    'net-address',
    'net-table',
    'net-forwarding',
    'net-forwarding6',
    'net-localnet',
    'net-configuration',
    'net-dnsmasq',
  ];
  const broken = await w.qlaunch('net', 'check', 'lab');
  expect(broken).toMatchObject({ status: 3, stdout: expect.stringContaining('its dnsmasq has ended') });
  expect(wrong(await report(w))).toEqual(all);
  const dry = await w.qlaunch('net', 'check', 'lab', '--fix', '--dry-run');
  for (const line of ['delete table inet qlaunch_lab', 'address add 10.98.0.1/24', 'dnsmasq --conf-file='])
    expect(dry.stdout).toContain(line);
  expect(wrong(await report(w))).toEqual(all);
  const fixed = await w.qlaunch('net', 'check', 'lab', '--fix');
  expect(fixed).toMatchObject({ status: 0, stderr: expect.stringContaining('mended: lab: net-table') });
  const guest = station('guest', 'lab0');
  expect(guest.dhcp()).toMatch(/^10\.98\.0\./);
  expect(guest.fetch(url)).toBe(`${nonce}\n`);
  expect(execFileSync('ip', ['route', 'get', '10.50.0.9'], { encoding: 'utf8' })).toContain('via 10.98.0.5');
  expect(await w.qlaunch('net', 'stop', 'lab', '--force')).toMatchObject({ status: 0 });
  execFileSync('ip', ['link', 'delete', 'dev', 'guest0']);
  expect(differences(before, snapshot())).toEqual([]);
}, 90_000);

test('a firewall that came later, a bridge that is gone, a definition that is another by now', async () => {
  const before = snapshot();
  const w = await started();
  sh('nft -f -', 'table inet guard { chain in { type filter hook input priority 0; policy drop; }\n}\n');
  onTestFinished(() => sh('nft delete table inet guard 2>/dev/null || true'));
  const [found] = (await report(w)).findings.filter(({ state }) => state === 'problem');
  expect(found).toMatchObject({
    id: 'net-firewall',
    fact: expect.stringContaining(
      'the table inet guard drops in inet guard in by its policy: guests ask for an address',
    ),
  });
  expect(await report(w, '--fix')).toMatchObject({ ok: true, mended: ['lab: net-firewall'] });
  expect(station('guest', 'lab0').dhcp()).toMatch(/^10\.98\.0\./);
  execFileSync('ip', ['link', 'delete', 'dev', 'guest0']);
  sh('nft delete table inet guard');
  sh('ip link delete dev lab0');
  expect(wrong(await report(w))).toEqual(['net-bridge']);
  // What is taken back, and what is made then.
  expect((await w.qlaunch('net', 'check', '--fix', '--dry-run')).stdout).toMatch(
    /nft delete table inet qlaunch_lab[\s\S]*create table inet qlaunch_lab/,
  );
  expect(await report(w, 'lab', '--fix')).toMatchObject({ ok: true, mended: ['lab: net-bridge'] });

  // Another one has its name by now: nothing is written to it.
  sh('ip link delete dev lab0; ip link add lab0 type bridge; ip link set dev lab0 alias "of the office"');
  const office = execFileSync('ip', ['-d', 'address', 'show', 'dev', 'lab0'], { encoding: 'utf8' });
  expect(wrong(await report(w))).toEqual(['net-bridge']);
  expect(await w.qlaunch('net', 'check', 'lab', '--fix')).toMatchObject({
    status: 3,
    stderr: expect.stringContaining('lab0 is a bridge (of the office)'),
  });
  expect(execFileSync('ip', ['-d', 'address', 'show', 'dev', 'lab0'], { encoding: 'utf8' })).toBe(office);
  sh('ip link delete dev lab0');
  expect(await w.qlaunch('net', 'start', 'lab')).toMatchObject({ status: 0 });
  expect(await report(w)).toMatchObject({ ok: true });

  writeFileSync(join(w.dir, 'lab.xml'), LAB.replaceAll('10.98.0.', '10.97.0.'));
  expect(await w.qlaunch('net', 'define', 'lab.xml')).toMatchObject({ status: 0 });
  const other = await w.qlaunch('net', 'check');
  expect(other).toMatchObject({ status: 0, stdout: expect.stringContaining('net restart lab') });

  // Restarted with what is plugged in.
  station('two', 'lab0');
  sh('ip link set dev two0 type bridge_slave isolated on');
  expect(await w.qlaunch('net', 'restart', 'lab')).toMatchObject({
    status: 3,
    stderr: expect.stringContaining('qlaunch net restart lab --force'),
  });
  const dryRun = await w.qlaunch('net', 'restart', 'lab', '--force', '--dry-run');
  expect(dryRun).toMatchObject({ status: 0, stdout: expect.stringContaining('10.97.0.1/24') });
  for (const line of ['link set dev two0 master lab0', 'link set dev two0 type bridge_slave isolated on'])
    expect(dryRun.stdout).toContain(line);
  // That it can not be started is seen while it still runs.
  const runs = async (): Promise<unknown> => JSON.parse((await w.qlaunch('net', 'list', '--json')).stdout);
  const asBefore = await runs();
  sh(
    'ip link add name away type veth peer name away1; ip link set dev away up; ip route add 10.97.0.0/16 dev away',
  );
  for (const words of [['--force'], ['--force', '--dry-run']])
    expect(await w.qlaunch('net', 'restart', 'lab', ...words)).toMatchObject({
      status: 3,
      stderr: expect.stringContaining('this host reaches 10.97.0.0/16 on away'),
    });
  sh('ip link delete dev away');
  expect(await runs()).toEqual(asBefore);
  expect(await w.qlaunch('net', 'restart', 'lab', '--force')).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/started anew: lab0, 10\.97\.0\.1\/24, fd98::1\/64\n.*two0/),
  });
  expect(execFileSync('bridge', ['-d', 'link', 'show', 'dev', 'two0'], { encoding: 'utf8' })).toMatch(
    /master lab0[\s\S]*isolated on/,
  );
  execFileSync('ip', ['link', 'delete', 'dev', 'two0']);
  expect(await report(w)).toMatchObject({ ok: true });

  expect(await w.qlaunch('net', 'stop', 'lab')).toMatchObject({ status: 0 });
  expect(await w.qlaunch('net', 'check', 'lab')).toMatchObject({ status: 3 });
  expect(await w.qlaunch('net', 'check', 'nope')).toMatchObject({ status: 2 });
  expect(differences(before, snapshot())).toEqual([]);
}, 90_000);

test('a definition that is changed while its network runs: what waits is named, and nothing else claimed', async () => {
  const w = await started();
  const shown = async (): Promise<readonly string[]> =>
    (await report(w)).findings.filter(({ state }) => state !== 'ok').map(({ fact }) => fact);
  const status = (): Record<string, unknown> =>
    JSON.parse(readFileSync(join(w.dir, 'run/net/lab.json'), 'utf8'));
  const other = LAB.replace('/><bridge', " dev='eth9'/><mtu size='1400'/><port isolated='yes'/><bridge");
  writeFileSync(join(w.dir, 'lab.xml'), other);
  expect(await w.qlaunch('net', 'define', 'lab.xml')).toMatchObject({ status: 0 });
  const waits = 'forward dev (none, defined: eth9); port isolated (no, defined: yes)';
  const fact = `it runs otherwise than it is defined: mtu (none, defined: 1400); ${waits}`;
  expect(await shown()).toEqual([fact]);
  expect(await w.qlaunch('net', 'check')).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/try: sudo \S*qlaunch net restart lab/),
  });
  expect(await w.qlaunch('net', 'start', 'lab')).toMatchObject({
    status: 0,
    stderr: expect.stringContaining(waits),
  });
  // It is looked at, and mended, as it was started.
  sh('nft delete table inet qlaunch_lab');
  expect(await report(w, '--fix')).toMatchObject({ ok: true, mended: ['lab: net-table'] });
  expect(execFileSync('nft', ['list', 'table', 'inet', 'qlaunch_lab'], { encoding: 'utf8' })).not.toContain(
    'eth9',
  );

  const updated = await w.qlaunch('net', 'update', 'lab', '--host', '52:54:00:00:00:05,10.98.0.5');
  expect(updated).toMatchObject({ status: 0, stdout: expect.stringContaining(waits) });
  const conf = readFileSync(join(w.dir, 'run/net/lab.conf'), 'utf8');
  expect(conf).toContain('dhcp-host=52:54:00:00:00:05,10.98.0.5');
  expect(conf).not.toContain('option:mtu');
  expect(status()).toMatchObject({ dhcp: { hosts: [{ ip: '10.98.0.5' }] } });
  expect(status()).not.toHaveProperty('isolated');
  expect(await shown()).toEqual([fact]);
  // Of an earlier version, which kept no more than this.
  for (const file of ['started', 'updated']) rmSync(join(w.dir, `run/net/lab.${file}.xml`));
  expect(await report(w)).toMatchObject({ ok: true });
  expect(await w.qlaunch('net', 'restart', 'lab')).toMatchObject({ status: 0 });
  expect(await shown()).toEqual([]);
  expect(status()).toMatchObject({ isolated: true });
  expect(await w.qlaunch('net', 'stop', 'lab')).toMatchObject({ status: 0 });
  expect(readdirSync(join(w.dir, 'run/net')).filter((name) => !name.endsWith('.hosts'))).toEqual([]);
}, 90_000);

test('who flushes every rule lets no guest to what listens on the host’s loopback', async () => {
  const w = await started();
  const url = await hostSecret();
  const guest = station('guest', 'lab0');
  guest.run('ip', 'address', 'add', '10.98.0.5/24', 'dev', 'eth0');
  reachLoopback('guest', '10.98.0.1', '10.98.0.5');
  sh('nft flush ruleset');
  expect(guest.fetch(url)).toBeUndefined();
  // That it is this host's setting which keeps it out, and nothing else.
  sh('sysctl -qw net.ipv4.conf.lab0.route_localnet=1');
  expect(guest.fetch(url)).toBe('secret\n');
  expect(wrong(await report(w))).toEqual(['net-table', 'net-localnet']);
  expect(await report(w, '--fix')).toMatchObject({ ok: true });
  sh('nft flush ruleset');
  expect(guest.fetch(url)).toBeUndefined();
}, 90_000);

test('a forward of this host’s loopback is for this host only, whoever is on its uplink', async () => {
  await internet();
  await started();
  const guest = station('guest', 'lab0');
  guest.run('ip', 'address', 'add', '10.98.0.5/24', 'dev', 'eth0');
  guest.run('ip', 'route', 'add', 'default', 'via', '10.98.0.1');
  const page = scratchDir();
  writeFileSync(join(page, 'index.html'), 'guest\n');
  guest.run('busybox', 'httpd', '-p', '80', '-h', page);
  onTestFinished(() => sh('ip netns pids guest | xargs -r kill'));
  const mac = readFileSync('/sys/class/net/lab0/address', 'utf8').trim();
  const of = { tap: 'guest0', mac: '52:54:00:00:00:05', address: '10.98.0.5', subnet: '10.98.0.0/24' };
  for (const [address, hostPort] of [
    ['127.0.0.1', 18080],
    ['0.0.0.0', 18081],
  ] as const) {
    const forward = { proto: 'tcp', address, hostPort, guestPort: 80 } as const;
    for (const { do: what } of forwardSteps({ ...of, bridge: 'lab0', bridgeMac: mac }, forward, 'x'))
      if ('run' in what) sh(what.run.join(' '), what.stdin ?? '');
      else if ('write' in what) writeFileSync(what.write, what.value);
    onTestFinished(() => sh(`nft delete table ${forwardTable('guest0', forward)}`));
    expect(await (await fetch(`http://127.0.0.1:${hostPort}/`)).text()).toBe('guest\n');
  }
  reachLoopback('router', UPLINK, '203.0.113.1');
  const asks = (url: string): string =>
    spawnSync('ip', ['netns', 'exec', 'router', 'busybox', 'timeout', '2', 'busybox', 'wget', '-qO-', url], {
      encoding: 'utf8',
    }).stdout;
  expect(asks(`http://${UPLINK}:18081/`)).toBe('guest\n');
  for (const port of [18080, 18081]) expect(asks(`http://127.0.0.1:${port}/`)).toBe('');
}, 90_000);

test('tried as a guest would, from a namespace on the bridge', async () => {
  const before = snapshot();
  const w = await started();
  const well = await probed(w);
  expect(well).toMatchObject({ ok: true });
  expect(well.findings).toContainEqual({
    ...{ id: 'net-probe', about: 'lab', state: 'ok' },
    fact: 'a guest on lab0 is answered by 10.98.0.1',
  });
  // A rule that is not understood: only who tries it knows.
  const odd = 'type filter hook input priority 0; policy accept; meta mark 0 udp dport 53 drop;';
  sh('nft -f -', `table inet guard { chain in { ${odd} }\n}\n`);
  onTestFinished(() => sh('nft delete table inet guard 2>/dev/null || true'));
  expect((await probed(w)).findings.filter(({ state }) => state !== 'ok')).toEqual([
    expect.objectContaining({
      id: 'net-probe',
      fact: 'a guest on lab0 gets no answer from 10.98.0.1 to DNS (UDP port 53)',
    }),
  ]);
  expect(await report(w)).toMatchObject({ ok: true });
  sh('nft delete table inet guard');
  // Nobody has got a lease, and nothing of the guest is left.
  expect((await w.qlaunch('net', 'leases', 'lab', '--json')).stdout).toBe('[]');
  expect(await w.qlaunch('net', 'stop', 'lab')).toMatchObject({ status: 0 });
  expect(differences(before, snapshot())).toEqual([]);
}, 90_000);
