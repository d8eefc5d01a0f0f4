// needs: bridge, isolated, tap, nft_bridge, nft_inet, nft_nat, tbf, veth
/** Taps of VMs that run come back into a bridge that was made anew, with what their ports had. */
import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { makeFolder, natPlaces } from '../../../src/host/nat/places.ts';
import { rememberPort } from '../../../src/plan/nat/known-port.ts';
import { planTaps } from '../../../src/plan/tap/managed.ts';
import { apply } from '../../../src/run/apply.ts';
import { openEngine } from '../../../src/run/open-engine.ts';
import { release } from '../../../src/run/recover.ts';
import { differences, snapshot } from '../../snapshot.ts';
import { programs, type World, world } from '../../tiers/cli.ts';
import { station } from '../../tiers/station.ts';

const LAB = `<network><name>lab</name><forward mode='nat'/><bridge name='lab0' stp='off'/>
  <ip address='10.98.0.1' prefix='24'><dhcp><range start='10.98.0.10' end='10.98.0.90'/></dhcp></ip></network>`;

const ip = (line: string): string => execFileSync('ip', line.split(' '), { encoding: 'utf8' });

/** What a launch makes of a VM with `--net nat:lab`, without the VM. */
async function tapsOfWeb(w: World): Promise<void> {
  const [engine, places] = [openEngine({ tool: 'test', env: w.env }), natPlaces(w.env)];
  makeFolder(places, 'lab');
  const lifetime = { vm: 'web' };
  const of = { uid: 0, queues: 1, bridge: 'lab0' };
  const wishes = [
    { ...of, name: 'qt-web0', isolated: true, rate: { toGuest: 800_000, fromGuest: 800_000 } },
    { ...of, name: 'qt-web1' },
  ];
  await apply(engine, { title: 'run vm web', lifetime }, (facts) => {
    const files = wishes.map((wish) => rememberPort(wish, 'lab', 'web', places.port(wish.name)));
    return { steps: [...files, ...planTaps(wishes, lifetime, facts).steps] };
  });
  onTestFinished(async () => void (await release(engine, lifetime)));
}

interface Port {
  readonly ifname: string;
  readonly flags: readonly string[];
  readonly linkinfo: { readonly info_slave_data: { readonly isolated: boolean } };
}

/** "qt-web0 up isolated" */
const ports = (): readonly string[] =>
  (JSON.parse(ip('-j -d link show master lab0')) as Port[])
    .filter(({ ifname }) => ifname.startsWith('qt-'))
    .map(({ ifname, flags, linkinfo: { info_slave_data: of } }) =>
      [ifname, flags.includes('UP') ? 'up' : 'down', of.isolated ? 'isolated' : 'plain'].join(' '),
    );
const AS_MADE = ['qt-web0 up isolated', 'qt-web1 up plain'];

test('deleted under running guests, stopped, killed in the middle: every tap is a port again', async () => {
  const w = world();
  onTestFinished(async () => void (await w.qlaunch('net', 'stop', 'lab', '--force')));
  const net = (...words: readonly string[]): ReturnType<World['qlaunch']> => w.qlaunch('net', ...words);
  const findings = async (): Promise<readonly string[]> => {
    const { stdout } = await net('check', 'lab', '--no-probe', '--json');
    const all = (JSON.parse(stdout) as { findings: { id: string; state: string; fact: string }[] }).findings;
    return all.filter(({ state }) => state !== 'ok').map(({ id, fact }) => `${id}: ${fact}`);
  };
  writeFileSync(join(w.dir, 'lab.xml'), LAB);
  expect(await net('define', 'lab.xml')).toMatchObject({ status: 0 });
  const before = snapshot();
  expect(await net('start', 'lab')).toMatchObject({ status: 0 });
  await tapsOfWeb(w);
  station('stranger', 'lab0');
  expect(ports()).toEqual(AS_MADE);
  expect(await findings()).toEqual([]);

  ip('link delete dev lab0');
  expect((await net('check', 'lab', '--fix', '--dry-run')).stdout).toContain(
    'qt-web0 type bridge_slave isolated on',
  );
  expect(await net('check', 'lab', '--fix', '--no-probe')).toMatchObject({ status: 0 });
  expect(ports()).toEqual(AS_MADE);
  ip('link delete dev lab0');
  expect((await net('start', 'lab', '--dry-run')).stdout).toContain('link set dev qt-web1 master lab0');
  expect(await net('start', 'lab')).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('plugged in again  qt-web0, qt-web1'),
  });
  expect(ports()).toEqual(AS_MADE);

  // One alone, and one at which somebody was killed when it was a port already.
  ip('link set dev qt-web0 nomaster');
  ip('link set dev qt-web1 down');
  expect(await findings()).toEqual([
    'net-ports: qt-web0 of VM web is plugged into nothing',
    'net-ports: qt-web1 of VM web is down',
  ]);
  expect(await net('check', 'lab', '--fix', '--no-probe')).toMatchObject({ status: 0 });
  expect(ports()).toEqual(AS_MADE);
  // Somebody has let it talk to its neighbours.
  ip('link set dev qt-web0 type bridge_slave isolated off');
  expect(await findings()).toEqual(['net-ports: qt-web0 of VM web is not isolated']);
  expect(await net('check', 'lab', '--fix', '--no-probe')).toMatchObject({ status: 0 });
  expect(ports()).toEqual(AS_MADE);

  // Somebody flushes all rules: how much a guest may send is limited again, until its VM ends.
  const limits = (): string => execFileSync('nft', ['list', 'ruleset', 'bridge'], { encoding: 'utf8' });
  const asLimited = limits();
  expect(asLimited).toContain('limit rate over 100');
  execFileSync('nft', ['flush', 'ruleset']);
  expect(await findings()).toContain(
    'net-limit: qt-web0 of VM web may send as much as it can: somebody has removed the rules of its rate',
  );
  expect(await net('check', 'lab', '--fix', '--no-probe')).toMatchObject({ status: 0 });
  expect(limits()).toBe(asLimited);
  ip('link set dev stranger0 master lab0');
  expect(await net('restart', 'lab', '--force')).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('plugged in again  qt-web0, qt-web1, stranger0'),
  });
  expect(ports()).toEqual(AS_MADE);
  // Killed when all of it is stopped, and the rules of the new start are made.
  const nft = execFileSync('sh', ['-c', 'command -v nft'], { encoding: 'utf8' }).trim();
  writeFileSync(join(w.dir, 'nft'), `#!/bin/sh\n${nft} "$@" || exit\n[ "$1" != -f ] || kill -9 $PPID\n`, {
    mode: 0o755,
  });
  const env = { ...process.env, ...w.env, PATH: `${w.dir}:${process.env['PATH']}` };
  const killed = spawnSync(programs[0]?.path ?? '', ['net', 'restart', 'lab', '--force'], { env });
  expect(`${killed.signal ?? killed.status}`).toMatch(/^(SIGKILL|137)$/);
  expect(await net('start', 'lab')).toMatchObject({ status: 0 });
  expect(ports()).toEqual(AS_MADE);
  expect(execFileSync('tc', ['qdisc', 'show', 'dev', 'qt-web0'], { encoding: 'utf8' })).toContain(
    'rate 800Kbit',
  );

  const engine = openEngine({ tool: 'test', env: w.env });
  expect(await release(engine, { vm: 'web' })).toMatchObject({ left: [] });
  expect(limits()).toBe('');
  expect(await findings()).toEqual([]);
  ip('link delete dev stranger0');
  expect(await net('stop', 'lab')).toMatchObject({ status: 0 });
  expect(differences(before, snapshot())).toEqual([]);
}, 120_000);
