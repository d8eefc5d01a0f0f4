// needs: bridge, isolated, nft_inet, nft_nat, tbf, veth
/** What libvirt's network format says beyond addresses, as guests meet it. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { differences, snapshot } from '../../snapshot.ts';
import { type World, world } from '../../tiers/cli.ts';
import { internet, until } from '../../tiers/internet.ts';
import { settled } from '../../tiers/lan.ts';
import { station } from '../../tiers/station.ts';

const LAB = (
  tftp: string,
): string => `<network xmlns:dnsmasq='http://libvirt.org/schemas/network/dnsmasq/1.0'>
  <name>lab</name><forward mode='nat'/><bridge name='lab0' stp='off'/><domain name='lab.test' localOnly='yes'/>
  <dns><host ip='10.98.0.5'><hostname>gw</hostname></host><txt name='note.lab.test' value='a, "b" # c'/>
    <srv service='ldap' protocol='tcp' domain='lab.test' target='gw.lab.test' port='389' priority='1' weight='2'/></dns>
  <bandwidth><inbound average='2000' burst='32'/><outbound average='500' burst='64'/></bandwidth><port isolated='yes'/>
  <ip address='10.98.0.1' prefix='24' localPtr='yes'><tftp root='${tftp}'/><dhcp>
    <range start='10.98.0.10' end='10.98.0.90'/></dhcp></ip>
  <route address='10.50.0.0' prefix='16' gateway='10.98.0.5'/>
  <dnsmasq:options><dnsmasq:option value='cname=alias.lab.test,gw.lab.test'/></dnsmasq:options></network>`;

async function started(xml: string): Promise<World> {
  const w = world();
  onTestFinished(async () => void (await w.qlaunch('net', 'stop', 'lab', '--force')));
  writeFileSync(join(w.dir, 'lab.xml'), xml);
  expect(await w.qlaunch('net', 'define', 'lab.xml')).toMatchObject({ status: 0, stderr: '' });
  return w;
}

const linkOf = (name: string): { mtu: number } =>
  (
    JSON.parse(execFileSync('ip', ['-j', 'link', 'show', name], { encoding: 'utf8' })) as { mtu: number }[]
  )[0] ?? {
    mtu: 0,
  };

test('names, files, ways, rates and isolated ports', async () => {
  const served = `/tmp/qlaunch-tftp-${randomUUID()}`;
  const nonce = randomUUID();
  mkdirSync(served);
  chmodSync(served, 0o755);
  writeFileSync(join(served, 'pxelinux.0'), nonce);
  const w = await started(LAB(served));
  const before = snapshot();
  expect(await w.qlaunch('net', 'start', 'lab')).toMatchObject({ status: 0, stderr: '' });
  const [a, b] = [station('a', 'lab0'), station('b', 'lab0')];
  const [addressA, addressB] = [a.dhcp(), b.dhcp()];
  expect([a.ask('A', 'gw.lab.test', '10.98.0.1'), a.ask('A', 'alias.lab.test', '10.98.0.1')]).toEqual([
    ['10.98.0.5'],
    ['10.98.0.5'],
  ]);
  expect(a.ask('TXT', 'note.lab.test', '10.98.0.1')).toEqual([['a, "b" # c']]);
  expect(a.ask('SRV', '_ldap._tcp.lab.test', '10.98.0.1')).toEqual([
    { name: 'gw.lab.test', port: 389, priority: 1, weight: 2 },
  ]);
  expect(a.run('busybox', 'tftp', '-g', '-r', 'pxelinux.0', '-l', '-', '10.98.0.1')).toBe(nonce);
  const way = execFileSync('ip', ['route', 'get', '10.50.0.9'], { encoding: 'utf8' });
  expect(way).toContain('via 10.98.0.5 dev lab0');

  // As the taps of VMs are made; no way round by this host either.
  for (const port of ['a0', 'b0']) execFileSync('bridge', ['link', 'set', 'dev', port, 'isolated', 'on']);
  expect(a.status('ping', '-c1', '-W1', addressB ?? '')).not.toBe(0);
  a.run('ip', 'route', 'add', addressB ?? '', 'via', '10.98.0.1');
  b.run('ip', 'route', 'add', addressA ?? '', 'via', '10.98.0.1');
  expect(a.status('ping', '-c1', '-W1', addressB ?? '')).not.toBe(0);
  expect(a.status('ping', '-c1', '-W3', '10.98.0.1')).toBe(0);

  // More than the burst at once, in both directions: some of it waits, some is dropped.
  a.status('ping', '-q', '-f', '-w5', '-c60', '-s30000', '10.98.0.1');
  const queue = execFileSync('tc', ['-s', '-j', 'qdisc', 'show', 'dev', 'lab0'], { encoding: 'utf8' });
  const [tbf] = JSON.parse(queue) as { kind: string; overlimits: number }[];
  expect(tbf).toMatchObject({ kind: 'tbf', overlimits: expect.any(Number) });
  expect(tbf?.overlimits).toBeGreaterThan(0);
  const rules = execFileSync('nft', ['list', 'chain', 'inet', 'qlaunch_lab', 'guard'], { encoding: 'utf8' });
  expect(rules).toMatch(/limit rate over .* counter packets [1-9]/);

  a.unplug();
  b.unplug();
  execFileSync('rm', ['-r', served]);
  expect(await w.qlaunch('net', 'stop', 'lab')).toMatchObject({ status: 0 });
  expect(differences(before, snapshot())).toEqual([]);
}, 90_000);

test('a guest keeps its address when it is installed anew and when its network was away; the MTU holds; MSS is clamped', async () => {
  const { nonce, url } = await internet();
  const w = await started(
    "<network><name>lab</name><forward/><bridge name='lab0' stp='off'/><ip address='10.98.0.1' prefix='24'>" +
      "<dhcp><range start='10.98.0.10' end='10.98.0.90'/></dhcp></ip></network>",
  );
  await w.qlaunch('net', 'start', 'lab');
  const other = station('other', 'lab0');
  const guest = station('guest', 'lab0');
  // A port with a small MTU.
  execFileSync('ip', ['link', 'set', 'dev', 'other0', 'mtu', '1280']);
  expect(linkOf('lab0').mtu).toBe(1500);
  const address = guest.dhcp('01aabbccddee01');
  expect(address).toMatch(/^10\.98\.0\./);
  expect(guest.dhcp('ff00112233445566')).toBe(address);
  for (const one of [other, guest]) execFileSync('ip', ['link', 'set', 'dev', `${one.name}0`, 'nomaster']);
  expect(await w.qlaunch('net', 'stop', 'lab')).toMatchObject({ status: 0 });
  expect(await w.qlaunch('net', 'start', 'lab')).toMatchObject({ status: 0 });
  expect((await w.qlaunch('net', 'leases', 'lab')).stdout).toContain(address);
  execFileSync('ip', ['link', 'set', 'dev', 'guest0', 'master', 'lab0']);
  expect(guest.dhcp('ff77')).toBe(address);

  // As behind PPPoE: only this host knows that its uplink is smaller.
  execFileSync('ip', ['link', 'set', 'dev', 'wan0', 'mtu', '1300']);
  const open = spawn('ip', ['netns', 'exec', 'guest', process.execPath, '-e', HOLD, new URL(url).hostname]);
  onTestFinished(async () => {
    open.kill();
    if (open.exitCode === null && open.signalCode === null) await once(open, 'exit');
  });
  const seen = (): string =>
    spawnSync('ip', ['netns', 'exec', 'web', 'ss', '-tinH'], { encoding: 'utf8' }).stdout;
  await until(() => /\bmss:\d+/.test(seen()), 'a connection');
  expect(Number(/\bmss:(\d+)/.exec(seen())?.[1])).toBeLessThanOrEqual(1260);
  expect(guest.fetch(url)).toBe(`${nonce}\n`);
}, 90_000);

test('a network that is a bridge of the host: nothing is made, nothing is taken down', async () => {
  const w = await started("<network><name>lab</name><forward mode='bridge'/><bridge name='br7'/></network>");
  expect((await w.qlaunch('net', 'dumpxml', 'lab')).stdout).not.toMatch(/<mac|stp=/);
  expect(await w.qlaunch('net', 'start', 'lab')).toMatchObject({
    status: 3,
    stderr: expect.stringContaining('there is no bridge br7'),
  });
  execFileSync('ip', ['link', 'add', 'br7', 'up', 'type', 'bridge']);
  onTestFinished(() => void execFileSync('ip', ['link', 'delete', 'br7']));
  const guest = station('guest', 'br7');
  await settled('br7', 'guest0');
  const before = snapshot();
  expect(await w.qlaunch('net', 'start', 'lab')).toMatchObject({ status: 0, stderr: '' });
  expect(JSON.parse((await w.qlaunch('net', 'list', '--json')).stdout)).toMatchObject([
    { name: 'lab', bridge: 'br7', mode: 'bridge', ports: ['guest0'], dnsmasq: false },
  ]);
  expect(await w.qlaunch('net', 'check', 'lab')).toMatchObject({ status: 0 });
  expect(differences(before, snapshot())).toEqual([]);
  writeFileSync(join(w.dir, 'disk.img'), Buffer.alloc(1 << 20));
  const dry = await w.qlaunch('./disk.img', '--dry-run', '--accel', 'tcg', '--net', 'nat:lab');
  expect(dry.stderr).toBe('');
  expect(dry.stdout).toContain('master br7');
  expect(await w.qlaunch('net', 'restart', 'lab')).toMatchObject({ status: 0 });
  expect(await w.qlaunch('net', 'stop', 'lab')).toMatchObject({ status: 0 });
  expect(differences(before, snapshot())).toEqual([]);
  guest.unplug();
});

/** A connection that stays. */
const HOLD = "require('node:net').connect(80, process.argv[1])";
