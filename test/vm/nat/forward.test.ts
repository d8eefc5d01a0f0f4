// needs: bridge, tap, veth, nft_inet, nft_nat
/** Forwards, addresses and names that a network knows of a VM for as long as it runs. */
import { execFileSync, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { FILES } from '../../../src/plan/vm/waiter.ts';
import { differences, snapshot } from '../../snapshot.ts';
import { programs, vmRow, type World, world } from '../../tiers/cli.ts';
import { consoleFile } from '../../tiers/console.ts';
import { guestCopy } from '../../tiers/guest.ts';
import { internet, UPLINK } from '../../tiers/internet.ts';
import { hostSecret, reachLoopback } from '../../tiers/loopback.ts';

const TCG = ['--accel', 'tcg', '-m', '256'];
const ADDRESS = '192.168.122.50';

async function networkWorld(): Promise<World> {
  const w = world();
  // dnsmasq gives up root's rights, and reads what it is told later as nobody.
  chmodSync(w.dir, 0o711);
  onTestFinished(async () => void (await w.qlaunch('net', 'stop', 'default', '--force')));
  expect(await w.qlaunch('net', 'start', 'default')).toMatchObject({ status: 0 });
  return w;
}

/** A namespace on the bridge with an address of its own: a guest without QEMU. */
function neighbour(): void {
  const lines = [
    'netns add peer',
    'link add peer0 type veth peer name eth0 netns peer',
    'link set dev peer0 master virbr0 up',
    '-n peer link set dev lo up',
    '-n peer link set dev eth0 up',
    '-n peer address add 192.168.122.77/24 dev eth0',
    '-n peer route add default via 192.168.122.1',
  ];
  for (const line of lines) execFileSync('ip', line.split(' '));
  onTestFinished(() => {
    spawnSync('ip', ['netns', 'delete', 'peer']);
  });
}

/** What curl gets there; undefined: nothing. */
function fetchIn(namespace: string, url: string): string | undefined {
  const { stdout, status } = spawnSync(
    'ip',
    ['netns', 'exec', namespace, process.execPath, '-e', FETCH, url],
    { encoding: 'utf8', timeout: 20_000 },
  );
  return status === 0 ? stdout : undefined;
}

/** What ssh is called with: an ssh that only tells it stands first on the PATH. */
function sshLine(w: World, ...words: readonly string[]): string {
  writeFileSync(join(w.dir, 'ssh'), '#!/bin/sh\necho "$@"\n', { mode: 0o755 });
  const env = { ...process.env, ...w.env, PATH: `${w.dir}:${process.env['PATH']}` };
  return execFileSync(programs[0]?.path ?? '', ['ssh', ...words], { encoding: 'utf8', env }).trim();
}

const FETCH = `
  fetch(process.argv[1], { signal: AbortSignal.timeout(5000) })
    .then((answer) => answer.text())
    .then((text) => process.stdout.write(text), () => process.exit(1));
`;

test('a forward from outside, from the host’s loopback and from a neighbour; gone with the VM', async () => {
  await internet();
  const before = snapshot();
  const w = await networkWorld();
  neighbour();
  const forwards = `fwd=18080:80,fwd=${UPLINK}:8080:80`;
  const net = `nat,ip=${ADDRESS},hostname=web,${forwards}`;
  // Somebody has killed its dnsmasq: the launch starts it again.
  const { dnsmasqPid } = JSON.parse((await w.qlaunch('net', 'info', 'default', '--json')).stdout);
  expect(dnsmasqPid).toBeGreaterThan(1);
  process.kill(dnsmasqPid, 'SIGKILL');
  while (existsSync(`/proc/${dnsmasqPid}/exe`)) await sleep(20);
  const run = await w.qlaunch(guestCopy(w.dir), '-n', 'web', '-d', '--net', net, ...TCG);
  expect(run).toMatchObject({
    status: 0,
    stderr: expect.stringContaining('the dnsmasq of default has ended, and is started again'),
    stdout: expect.stringContaining('tcp 127.0.0.1:18080 -> guest 80'),
  });
  const console = consoleFile(join((await vmRow(w, 'web')).dir, 'serial.log'));
  await console.waitFor('QLAUNCH-GUEST ready');
  expect(console.text()).toContain(` ${ADDRESS}/24 192.168.122.1\n`);

  expect(JSON.parse((await w.qlaunch('ip', 'web', '--wait', '20', '--json')).stdout)).toContainEqual(
    expect.objectContaining({ nic: 'net0', address: ADDRESS }),
  );
  expect(sshLine(w, 'root@web', '--', 'uname', '-a')).toBe(`-l root ${ADDRESS} uname -a`);
  const back = randomUUID();
  const page = `cgi-bin/echo?${back}`;
  expect(await (await fetch(`http://127.0.0.1:18080/${page}`)).text()).toContain(back);
  expect(await (await fetch(`http://${UPLINK}:8080/${page}`)).text()).toContain(back);
  expect(fetchIn('router', `http://${UPLINK}:8080/${page}`)).toContain(back);
  expect(fetchIn('peer', `http://${UPLINK}:8080/${page}`)).toContain(back);
  // Its name, as the network's DNS server knows it.
  const named = execFileSync('ip', ['netns', 'exec', 'peer', 'busybox', 'nslookup', 'web', '192.168.122.1'], {
    encoding: 'utf8',
  });
  expect(named).toContain(ADDRESS);

  // Live: added, listed, refused where somebody has the port, removed; one stays to see that the VM's end takes it.
  const add = (spec: string): ReturnType<World['qlaunch']> => w.qlaunch('forward', 'add', 'web', spec);
  const dry = await w.qlaunch('forward', 'add', 'web', `${UPLINK}:8081:80`, '--dry-run');
  expect(dry.stdout).toContain(`dnat ip to ${ADDRESS}:80`);
  expect(fetchIn('router', `http://${UPLINK}:8081/${page}`)).toBeUndefined();
  expect(await add(`${UPLINK}:8081:80`)).toMatchObject({ status: 0 });
  expect(fetchIn('router', `http://${UPLINK}:8081/${page}`)).toContain(back);
  expect(await add('18082:80')).toMatchObject({ status: 0 });
  expect(await (await fetch(`http://127.0.0.1:18082/${page}`)).text()).toContain(back);
  const listed = JSON.parse((await w.qlaunch('forward', 'list', 'web', '--json')).stdout);
  expect(listed).toHaveLength(4);
  expect(listed).toContainEqual({
    nic: 'net0',
    mode: 'nat',
    proto: 'tcp',
    address: UPLINK,
    hostPort: 8081,
    guestPort: 80,
  });
  const other = createServer().listen(18083, '127.0.0.1');
  onTestFinished(() => void other.close());
  expect(await add('18083:80')).toMatchObject({
    status: 3,
    stderr: expect.stringContaining(`(pid ${process.pid}) listens on 127.0.0.1:18083`),
  });
  expect(await add(`${UPLINK}:8080:80`)).toMatchObject({
    status: 3,
    stderr: expect.stringContaining('VM "web" has it'),
  });
  // One of the launch, one of later.
  for (const spec of [`${UPLINK}:8080:80`, `${UPLINK}:8081`])
    expect(await w.qlaunch('forward', 'remove', 'web', spec)).toMatchObject({ status: 0 });
  for (const port of [8080, 8081])
    expect(fetchIn('router', `http://${UPLINK}:${port}/${page}`)).toBeUndefined();
  expect(await (await fetch(`http://127.0.0.1:18080/${page}`)).text()).toContain(back);

  // Nobody else gets in: not by the guest's own address, not to what listens on the host's loopback.
  expect(
    execFileSync('ip', ['-n', 'router', 'route', 'add', '192.168.122.0/24', 'via', UPLINK]).toString(),
  ).toBe('');
  expect(fetchIn('router', `http://${ADDRESS}/${page}`)).toBeUndefined();
  const secret = await hostSecret();
  reachLoopback('peer', '192.168.122.1', '192.168.122.77');
  expect(fetchIn('peer', secret)).toBeUndefined();
  expect(
    execFileSync('nft', ['list', 'chain', 'inet', 'qlaunch_default', 'guard'], { encoding: 'utf8' }),
  ).toMatch(/ip daddr 127\.0\.0\.0\/8 counter packets [1-9]/);

  // Killed when the rule is made and nothing knows of it: seen and taken back by recover.
  const nft = execFileSync('sh', ['-c', 'command -v nft'], { encoding: 'utf8' }).trim();
  const fatal = `#!/bin/sh\n${nft} "$@" || exit\n[ "$1" != -f ] || kill -9 $PPID\n`;
  writeFileSync(join(w.dir, 'nft'), fatal, { mode: 0o755 });
  const env = { ...process.env, ...w.env, PATH: `${w.dir}:${process.env['PATH']}` };
  const killed = spawnSync(programs[0]?.path ?? '', ['forward', 'add', 'web', `${UPLINK}:8084:80`], { env });
  expect(`${killed.signal ?? killed.status}`).toMatch(/^(SIGKILL|137)$/);
  expect(fetchIn('router', `http://${UPLINK}:8084/${page}`)).toContain(back);
  expect((await w.qlaunch('recover', '--dry-run')).stdout).toMatch(/delete table inet qlaunch_fwd_/);
  expect(await w.qlaunch('recover')).toMatchObject({
    status: 0,
    stderr: expect.stringContaining('VM web: took back what a killed command left: forward tcp'),
  });
  expect(fetchIn('router', `http://${UPLINK}:8084/${page}`)).toBeUndefined();
  expect(await (await fetch(`http://127.0.0.1:18082/${page}`)).text()).toContain(back);

  // One port for two VMs at once: one of them gets it.
  const second = ['-n', 'other', '-d', ...TCG];
  const disk = guestCopy(w.dir, 'other.qcow2');
  const taken = await w.qlaunch(disk, ...second, '--net', `nat,ip=${ADDRESS}`);
  expect(taken).toMatchObject({
    status: 3,
    stderr: expect.stringContaining(`ip=${ADDRESS} can not be had`),
  });
  expect(await w.qlaunch(disk, ...second, '--net', 'nat,ip=192.168.122.51')).toMatchObject({ status: 0 });
  const both = await Promise.all(
    ['web', 'other'].map((name) => w.qlaunch('forward', 'add', name, '18090:80')),
  );
  expect(both.map(({ status }) => status).sort()).toEqual([0, 3]);
  expect(both.map(({ stderr }) => stderr).join('')).toContain('tcp port 18090 on 127.0.0.1 is in use');
  expect(await w.qlaunch('kill', 'other')).toMatchObject({ status: 0 });
  await w.qlaunch('forward', 'remove', 'web', '18090');

  // Open for answers to 127.0.0.1, also after a new start of the network, while a forward from there needs it.
  const localnet = (): string => readFileSync('/proc/sys/net/ipv4/conf/virbr0/route_localnet', 'utf8').trim();
  expect(localnet()).toBe('1');
  expect(await w.qlaunch('net', 'restart', 'default', '--force')).toMatchObject({ status: 0 });
  const again = async (): Promise<string> =>
    (await fetch(`http://127.0.0.1:18082/${page}`).catch(() => undefined))?.text() ?? '';
  await expect.poll(again, { timeout: 30_000 }).toContain(back);

  // Somebody flushes everybody's rules, and deletes the bridge.
  const lost = async (): Promise<readonly string[]> => {
    const { stdout } = await w.qlaunch('net', 'check', 'default', '--no-probe', '--json');
    const { findings } = JSON.parse(stdout) as { findings: { state: string; id: string; fact: string }[] };
    return findings.filter(({ state }) => state !== 'ok').map(({ id, fact }) => `${id}: ${fact}`);
  };
  const gone = (port: number): string =>
    `net-forward: the forward tcp 127.0.0.1:${port} to VM web is gone: somebody has removed its rules`;
  execFileSync('nft', ['flush', 'ruleset']);
  expect(await lost()).toEqual(expect.arrayContaining([gone(18080), gone(18082)]));
  expect(await again()).toBe('');
  // Somebody has got the port meanwhile: what is known of the forward stays, for whoever mends it later.
  const thief = createServer().listen(18082, '127.0.0.1');
  onTestFinished(() => void thief.close());
  await once(thief, 'listening');
  for (const more of [['--dry-run'], []])
    expect(await w.qlaunch('forward', 'add', 'web', '18082:80', ...more)).toMatchObject({
      status: 3,
      stderr: expect.stringContaining(`(pid ${process.pid}) listens on 127.0.0.1:18082`),
    });
  expect(await lost()).toContain(gone(18082));
  thief.close();
  await once(thief, 'close');
  expect(await add('18082:80')).toMatchObject({ status: 0 });
  expect(await lost()).not.toContain(gone(18082));
  execFileSync('ip', ['link', 'delete', 'dev', 'virbr0']);
  const asPrinted = await w.qlaunch('net', 'check', 'default', '--fix', '--dry-run');
  expect(asPrinted.stdout).toContain('link set dev qt-web0 master virbr0');
  expect(await w.qlaunch('net', 'check', 'default', '--fix', '--no-probe')).toMatchObject({
    status: 0,
    stderr: expect.stringContaining('mended: default: net-forward'),
  });
  expect(await lost()).toEqual([]);
  await expect.poll(again, { timeout: 30_000 }).toContain(back);
  const first = await fetch(`http://127.0.0.1:18080/${page}`);
  expect(await first.text()).toContain(back);
  // What only the VM's own record says, which is its user's to write, is not made by it, and nobody is told to.
  const file = join((await vmRow(w, 'web')).dir, FILES.record);
  const record = readFileSync(file, 'utf8');
  writeFileSync(file, record.replaceAll('"hostPort":18082', '"hostPort":18099'));
  expect(await w.qlaunch('net', 'check', 'default', '--fix', '--no-probe')).toMatchObject({ status: 0 });
  expect(await lost()).toEqual([
    'net-forward: the record of VM web names the forward tcp 127.0.0.1:18099, which was never made',
  ]);
  expect(execFileSync('nft', ['list', 'ruleset'], { encoding: 'utf8' })).not.toContain('18099');
  writeFileSync(file, record);
  expect(await add('18082:80')).toMatchObject({
    status: 3,
    stderr: expect.stringContaining('VM "web" has it'),
  });
  expect(await w.qlaunch('forward', 'remove', 'web', '18080')).toMatchObject({ status: 0 });
  expect(localnet()).toBe('1');
  expect(await w.qlaunch('forward', 'remove', 'web', '18082')).toMatchObject({ status: 0 });
  expect(localnet()).toBe('0');
  expect(await add('18082:80')).toMatchObject({ status: 0 });
  expect(await w.qlaunch('stop', 'web')).toMatchObject({ status: 0 });
  expect(await fetch(`http://127.0.0.1:18082/${page}`).catch(() => undefined)).toBeUndefined();
  expect(localnet()).toBe('0');
  expect(readdirSync(join(w.dir, 'run/net/default.hosts'))).toEqual([]);
  execFileSync('ip', ['netns', 'delete', 'peer']);
  expect(await w.qlaunch('net', 'stop', 'default')).toMatchObject({ status: 0 });
  expect(differences(before, snapshot())).toEqual([]);
});

test('what can not be done is said before anything is made', async () => {
  const w = await networkWorld();
  const disk = guestCopy(w.dir);
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const taken = (server.address() as AddressInfo).port;
  for (const [net, why] of [
    ['nat,ip=10.0.0.5', 'it is not in 192.168.122.0/24'],
    ['nat,ip=192.168.122.1', 'it is the network’s own'],
    ['nat,fwd=0:80', 'chooses no port here'],
    [`nat,fwd=${taken}:80`, `(pid ${process.pid}) listens on 127.0.0.1:${taken}`],
    ['nat:nope', 'there is no network nope'],
    ['nat,portgroup=nope', 'the network default has no portgroup "nope"'],
  ] as const)
    expect(await w.qlaunch(disk, '-n', 'x', '-d', '--net', net, ...TCG), net).toMatchObject({
      status: net === 'nat:nope' ? 2 : 3,
      stderr: expect.stringContaining(why),
    });

  // A portgroup is what the tap gets; and its bridge is one with VLANs.
  writeFileSync(
    join(w.dir, 'lab.xml'),
    `<network><name>lab</name><forward/><ip address='10.97.0.1' prefix='24'/>
      <portgroup name='slow' default='yes'><bandwidth><inbound average='100'/></bandwidth></portgroup>
      <portgroup name='apart'><vlan><tag id='7'/></vlan><port isolated='yes'/></portgroup></network>`,
  );
  expect(await w.qlaunch('net', 'define', 'lab.xml')).toMatchObject({ status: 0, stderr: '' });
  const dry = async (net: string): Promise<string> =>
    (await w.qlaunch(disk, '-n', 'x', '--net', net, '--dry-run', ...TCG)).stdout;
  const slow = await dry('nat:lab');
  expect(slow).toMatch(/type bridge .*vlan_filtering 1/);
  expect(slow).toMatch(/tc qdisc add dev \S+ root tbf rate 800000bit/);
  const apart = await dry('nat:lab,portgroup=apart');
  expect(apart).toMatch(/vlan add dev \S+ vid 7 pvid untagged/);
  expect(apart).toContain('isolated on');
  expect(apart).not.toContain('tbf');
  // What the network knows of its port, for whoever makes the bridge anew.
  expect(apart).toContain('"network":"lab","vm":"x","tap":"qt-x0","isolated":true,"vlan":7');
});
