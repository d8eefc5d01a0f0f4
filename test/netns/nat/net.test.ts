// needs: bridge, nft_inet, nft_nat, veth
/** qlaunch net on the real kernel: started, stopped, killed. */
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { natPlaces } from '../../../src/host/nat/places.ts';
import { definitionOf } from '../../../src/run/nat/definitions.ts';
import { startNetwork } from '../../../src/run/nat/start.ts';
import { openEngine } from '../../../src/run/open-engine.ts';
import { differences, snapshot } from '../../snapshot.ts';
import { userWorld, type World, world } from '../../tiers/cli.ts';

const ip = (line: string): void => void execFileSync('ip', line.split(' '));

const LAB = `<network><name>lab</name><forward mode='nat'/><bridge name='lab0' stp='off'/>
  <ip address='10.98.0.1' netmask='255.255.255.0'><dhcp><range start='10.98.0.10' end='10.98.0.90'/></dhcp></ip>
  <virtualport type='x'/></network>`;

async function labWorld(): Promise<World> {
  const w = world();
  onTestFinished(async () => {
    for (const name of ['lab', 'default']) await w.qlaunch('net', 'stop', name, '--force');
  });
  writeFileSync(join(w.dir, 'lab.xml'), LAB);
  expect(await w.qlaunch('net', 'define', 'lab.xml')).toMatchObject({
    status: 0,
    stderr: 'qlaunch: lab.xml: line 3: network/virtualport has no effect here; it is kept',
  });
  return w;
}

/** Whatever runs with a configuration of this world. */
function daemons(w: World): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`\0--conf-file=${w.dir}/`);
      } catch {
        return false;
      }
    })
    .map(Number);
}

interface Info {
  readonly active: boolean;
  readonly dnsmasqPid: number | null;
  readonly bridge: string;
  readonly mac: string;
  readonly addresses: readonly string[];
}

const infoOf = async (w: World, name: string): Promise<Info> =>
  JSON.parse((await w.qlaunch('net', 'info', name, '--json')).stdout) as Info;

test('a network is started and stopped, and the host is as before', async () => {
  const w = await labWorld();
  const before = snapshot();
  expect(await w.qlaunch('net', 'start', 'lab')).toMatchObject({ status: 0, stderr: '' });
  const info = await infoOf(w, 'lab');
  expect(info).toMatchObject({ active: true, bridge: 'lab0', addresses: ['10.98.0.1/24'] });
  const [link] = JSON.parse(execFileSync('ip', ['-j', 'link', 'show', 'lab0'], { encoding: 'utf8' }));
  expect(link).toMatchObject({ address: info.mac });
  expect(daemons(w)).toEqual([info.dnsmasqPid]);
  expect(readFileSync('/proc/sys/net/ipv4/ip_forward', 'utf8')).toBe('1\n');
  expect(await w.qlaunch('net', 'start', 'lab')).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('was started already'),
  });
  expect(await w.qlaunch('net', 'undefine', 'lab')).toMatchObject({ status: 3 });
  // Somebody deletes its bridge: the rest of it is not forgotten with the definition, and in the way of no start.
  ip('link delete dev lab0');
  expect(await w.qlaunch('net', 'undefine', 'lab')).toMatchObject({
    status: 3,
    stderr: expect.stringContaining('qlaunch net stop lab'),
  });
  expect((await w.qlaunch('net', 'start', 'lab', '--dry-run')).stdout).toMatch(
    /nft delete table inet qlaunch_lab[\s\S]*create table inet qlaunch_lab/,
  );
  expect(await w.qlaunch('net', 'start', 'lab')).toMatchObject({ status: 0 });
  const anew = await infoOf(w, 'lab');
  expect(daemons(w)).toEqual([anew.dnsmasqPid]);
  expect(anew.dnsmasqPid).not.toBe(info.dnsmasqPid);
  expect((await w.qlaunch('recover')).stderr).toBe('nothing to take back');
  expect(await w.qlaunch('net', 'stop', 'lab')).toMatchObject({ status: 0 });
  expect(daemons(w)).toEqual([]);
  expect(differences(before, snapshot())).toEqual([]);
  expect((await infoOf(w, 'lab')).mac).toBe(info.mac);
  expect(await w.qlaunch('net', 'undefine', 'lab')).toMatchObject({ status: 0 });
  expect((await w.qlaunch('net', 'list', '--all', '--json')).stdout).toBe('[]');
});

test('of two first starts the later one takes the definition of the other', async () => {
  const w = await labWorld();
  const [engine, places] = [openEngine({ tool: 'test', env: w.env }), natPlaces(w.env)];
  // It has looked before the other one wrote.
  const looked = await definitionOf(engine, places, 'default');
  expect(await w.qlaunch('net', 'start', 'default')).toMatchObject({ status: 0 });
  const { bridge, mac } = await infoOf(w, 'default');
  expect(await startNetwork(engine, places, looked)).toMatchObject({ made: false });
  expect((await w.qlaunch('net', 'dumpxml', 'default')).stdout).toContain(`<mac address="${mac}"`);
  expect(readFileSync(`/sys/class/net/${bridge}/address`, 'utf8').trim()).toBe(mac);
});

test('dumpxml is what define takes, and keeps what is not known', async () => {
  const w = await labWorld();
  const first = (await w.qlaunch('net', 'dumpxml', 'lab')).stdout;
  expect(first).toContain('<virtualport type="x"/>');
  writeFileSync(join(w.dir, 'again.xml'), `${first}\n`);
  expect(await w.qlaunch('net', 'define', 'again.xml')).toMatchObject({ status: 0 });
  expect((await w.qlaunch('net', 'dumpxml', 'lab')).stdout).toBe(first);
  // Without what was filled in: it is kept.
  expect(await w.qlaunch('net', 'define', 'lab.xml')).toMatchObject({ status: 0 });
  expect((await w.qlaunch('net', 'dumpxml', 'lab')).stdout.match(/<(uuid|mac).*/g)).toEqual(
    first.match(/<(uuid|mac).*/g),
  );
});

test('a definition that lost its bridge: the cure is typed as it is printed', async () => {
  const w = await labWorld();
  const file = join(w.dir, 'config/networks/lab.xml');
  writeFileSync(file, LAB.replace("<bridge name='lab0' stp='off'/>", ''));
  const { status, stderr } = await w.qlaunch('net', 'info', 'lab');
  const [, cure = ''] = /try: +sudo \S*qlaunch (.*?) +#/.exec(stderr) ?? [];
  expect([status, cure]).toEqual([2, `net define ${file}`]);
  expect(await w.qlaunch(...cure.split(' '))).toMatchObject({ status: 0 });
  expect((await infoOf(w, 'lab')).bridge).toMatch(/^(virbr|qbr)\d+$/);
});

test('a dnsmasq that was killed is started again by the next command', async () => {
  const w = await labWorld();
  await w.qlaunch('net', 'start', 'lab');
  const { dnsmasqPid } = await infoOf(w, 'lab');
  // Never 0, which kill(2) takes for all of us.
  if (dnsmasqPid === null) throw new Error('no dnsmasq');
  process.kill(dnsmasqPid, 'SIGKILL');
  while (daemons(w).length > 0) await sleep(10);
  expect(await w.qlaunch('net', 'list')).toMatchObject({
    status: 0,
    stderr: 'qlaunch: network lab: its dnsmasq had ended and is started again',
  });
  expect(daemons(w)).toEqual([(await infoOf(w, 'lab')).dnsmasqPid]);
  expect(await w.qlaunch('net', 'stop', 'lab')).toMatchObject({ status: 0 });
  expect(daemons(w)).toEqual([]);
});

test('no descriptor of ours lives on in dnsmasq: the host lock is free while it runs', async () => {
  const w = await labWorld();
  await w.qlaunch('net', 'start', 'lab');
  const [pid] = daemons(w);
  const open = execFileSync('find', [`/proc/${pid}/fd`, '-lname', `${w.dir}/run/*`], { encoding: 'utf8' });
  expect(open).toBe('');
  expect(await w.qlaunch('net', 'stop', 'lab')).toMatchObject({ status: 0 });
});

test('a network with something plugged in is stopped only by force', async () => {
  const w = await labWorld();
  const before = snapshot();
  await w.qlaunch('net', 'start', 'lab');
  ip('link add name plug type veth peer name plug1');
  onTestFinished(() => void spawnSync('ip', ['link', 'delete', 'dev', 'plug']));
  ip('link set dev plug master lab0');
  const refused = await w.qlaunch('net', 'stop', 'lab');
  expect(refused).toMatchObject({ status: 3, stderr: expect.stringContaining('plugged into lab0: plug') });
  expect(await w.qlaunch('net', 'stop', 'lab', '--force')).toMatchObject({ status: 0 });
  ip('link delete dev plug');
  expect(differences(before, snapshot())).toEqual([]);
});

test('two networks share forwarding, and the last one puts it back', async () => {
  const w = await labWorld();
  const before = snapshot();
  await w.qlaunch('net', 'start', 'lab');
  // Its first start writes it down, and so does what is printed.
  expect((await w.qlaunch('net', 'start', 'default', '--dry-run')).stdout).toContain(
    `${join(w.dir, 'config/networks/default.xml')}\n`,
  );
  expect(await w.qlaunch('net', 'start', 'default')).toMatchObject({ status: 0, stderr: '' });
  expect(await w.qlaunch('net', 'start', 'default', '--dry-run')).toMatchObject({
    ...{ status: 0, stdout: '' },
    stderr: 'network default is started already',
  });
  // A port of a bridge with STP is silent for four seconds; and what is told is what runs.
  expect((await w.qlaunch('net', 'dumpxml', 'default')).stdout).toContain('stp="off" delay="0"');
  const bridge = (await infoOf(w, 'default')).bridge;
  expect(execFileSync('ip', ['-d', 'link', 'show', 'dev', bridge], { encoding: 'utf8' })).toContain(
    'stp_state 0',
  );
  expect(await w.qlaunch('net', 'stop', 'lab')).toMatchObject({ status: 0 });
  expect(readFileSync('/proc/sys/net/ipv4/ip_forward', 'utf8')).toBe('1\n');
  expect(await w.qlaunch('net', 'stop', 'default')).toMatchObject({ status: 0 });
  expect(differences(before, snapshot())).toEqual([]);
});

test('default gets a free subnet where libvirt’s is reached elsewhere; a defined one is refused with a free one named', async () => {
  const w = await labWorld();
  ip('link add name away type veth peer name away1');
  onTestFinished(() => ip('link delete dev away'));
  ip('link set dev away up');
  ip('route add 192.168.0.0/17 dev away table 77');
  ip('route add 10.98.0.0/16 dev away');
  expect(await w.qlaunch('net', 'start', 'default')).toMatchObject({ status: 0 });
  expect((await infoOf(w, 'default')).addresses).toEqual([
    '192.168.128.1/24',
    expect.stringMatching(/^fd[0-9a-f:]+::1\/64$/),
  ]);
  const refused = await w.qlaunch('net', 'start', 'lab');
  expect(refused).toMatchObject({ status: 3 });
  expect(refused.stderr).toContain('10.98.0.0/16 on away (table main)');
  expect(refused.stderr).toContain('192.168.129.0/24');
  expect(existsSync(join(w.dir, 'run/net/lab.json'))).toBe(false);
  expect(await w.qlaunch('net', 'stop', 'default')).toMatchObject({ status: 0 });
});

test('who is not root gets the sudo line, and nothing is done', async () => {
  const w = userWorld();
  const before = snapshot();
  const refused = await w.qlaunch('net', 'start', 'default');
  expect(refused).toMatchObject({ status: 3, stderr: expect.stringContaining('net start default') });
  expect(refused.stderr).toContain('sudo ');
  expect(differences(before, snapshot())).toEqual([]);
});

test('hostile definitions: nothing is written', async () => {
  const w = world();
  writeFileSync(join(w.dir, 'bad.xml'), `<network><name>../../x</name><domain name='a&#10;b'/></network>`);
  const refused = await w.qlaunch('net', 'define', 'bad.xml');
  expect(refused).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('line 1: network/domain/@name'),
  });
  writeFileSync(join(w.dir, 'big.xml'), ' '.repeat(10_000_000));
  expect(await w.qlaunch('net', 'define', 'big.xml')).toMatchObject({ status: 2 });
  expect(existsSync(join(w.dir, 'config'))).toBe(false);
});

test.each(['start', 'stop'])(
  'killed at any moment of %s, recover and stop heal',
  async (command) => {
    const w = await labWorld();
    const before = snapshot();
    const rounds = 14;
    for (let round = 0; round < rounds; round += 1) {
      if (command === 'stop') await w.qlaunch('net', 'start', 'lab');
      const { child } = w.start(['net', command, 'lab']);
      const ended = once(child, 'close');
      await sleep((220 * round) / rounds);
      child.kill('SIGKILL');
      await ended;
      // What was begun by its orphans comes to its end: they hold the host lock.
      const recovered = await w.qlaunch('recover');
      expect({ round, status: recovered.status, said: recovered.stderr }).toMatchObject({ round, status: 0 });
      // Half a start is taken back, a whole one is complete by the next command.
      const started = await w.qlaunch('net', 'start', 'lab');
      expect({ round, ...started }).toMatchObject({ round, status: 0 });
      expect(daemons(w)).toHaveLength(1);
      expect(await w.qlaunch('net', 'stop', 'lab')).toMatchObject({ status: 0 });
      expect({ round, daemons: daemons(w) }).toEqual({ round, daemons: [] });
      expect({ round, differs: differences(before, snapshot()) }).toEqual({ round, differs: [] });
    }
  },
  120_000,
);
