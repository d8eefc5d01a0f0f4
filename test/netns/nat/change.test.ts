// needs: bridge, nft_inet, nft_nat, veth
/** Definitions by flags and by an editor, changed while their network runs, and started at boot. */
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { differences, snapshot } from '../../snapshot.ts';
import { programs, type World, world } from '../../tiers/cli.ts';
import { station } from '../../tiers/station.ts';

// A busy machine is no failure.
vi.setConfig({ testTimeout: 90_000 });

function labWorld(): World {
  const w = world();
  onTestFinished(async () => void (await w.qlaunch('net', 'stop', 'lab', '--force')));
  return w;
}

const CREATE = [
  'net',
  'create',
  'lab',
  '--subnet',
  '10.96.0.0/24',
  '--bridge',
  'lab0',
  '--domain',
  'lab.example',
];

test('made by flags; its hosts are changed while it runs', async () => {
  const w = labWorld();
  const before = snapshot();
  const dry = await w.qlaunch(...CREATE, '--dry-run');
  expect(dry.stdout).toContain('<range start="10.96.0.2" end="10.96.0.254"/>');
  expect(await w.qlaunch('net', 'create', 'a/b', '--mode', 'x', '--subnet', '1')).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/NAME: [\s\S]*--mode: [\s\S]*--subnet: /),
  });
  expect(existsSync(join(w.dir, 'config'))).toBe(false);
  expect(await w.qlaunch(...CREATE)).toMatchObject({ status: 0 });
  expect(await w.qlaunch(...CREATE)).toMatchObject({ status: 3 });
  expect(await w.qlaunch('net-start', 'lab')).toMatchObject({ status: 0 });

  const guest = station('guest', 'lab0');
  const macOf = /ether (\S+)/.exec(guest.run('ip', 'link', 'show', 'eth0'))?.[1] ?? '';
  const update = (...words: readonly string[]): ReturnType<World['qlaunch']> =>
    w.qlaunch('net', 'update', 'lab', ...words);
  // dnsmasq looks for three seconds whether an address is free.
  expect(guest.dhcp() ?? guest.dhcp()).toMatch(/^10\.96\.0\./);
  expect(await update('--host', `${macOf},10.96.0.200,web`, '--json')).toMatchObject({
    status: 0,
    stdout: '{"name":"lab","effect":"now"}',
  });
  expect(guest.dhcp() ?? guest.dhcp()).toBe('10.96.0.200');
  expect(guest.resolve('web.lab.example', '10.96.0.1')).toEqual(['10.96.0.200']);
  // It is the definition that was changed, and what runs is what it says.
  expect((await w.qlaunch('net', 'dumpxml', 'lab')).stdout).toContain(`mac="${macOf}" ip="10.96.0.200"`);
  expect(await w.qlaunch('net', 'check', 'lab')).toMatchObject({ status: 0 });
  expect(await update('--host', `${macOf},10.96.0.200,web`, '--json')).toMatchObject({
    stdout: '{"name":"lab","effect":"nothing"}',
  });
  for (const [words, status] of [
    [['--host', 'nonsense'], 2],
    [['--host', '52:54:00:00:00:09,10.0.0.1'], 2],
    [['--remove-host', '52:54:00:00:00:09'], 3],
    [[], 2],
  ] as const)
    expect(await update(...words), words.join(' ')).toMatchObject({ status });
  expect((await update('--dns-host', '10.96.0.77,db,db2', '--dry-run')).stdout).toMatch(
    /stop-dnsmasq[\s\S]*host-record=db[\s\S]*\ndnsmasq --conf-file=/,
  );
  expect(await update('--remove-host', macOf, '--dns-host', '10.96.0.77,db,db2')).toMatchObject({
    status: 0,
  });
  expect(guest.resolve('db2', '10.96.0.1')).toEqual(['10.96.0.77']);
  expect((await w.qlaunch('net', 'dumpxml', 'lab')).stdout).not.toContain('<host mac');

  // Killed once the new configuration is there: no dnsmasq goes on that has not read it.
  const child = w.start(['net', 'update', 'lab', '--dns-host', '10.96.0.79,db4']).child;
  const killer = watch(join(w.dir, 'run/net'), (_event, file) => {
    if (file === 'lab.conf') child.kill('SIGKILL');
  });
  await once(child, 'close');
  killer.close();
  expect(await update('--dns-host', '10.96.0.79,db4')).toMatchObject({ status: 0 });
  expect(await w.qlaunch('net', 'list')).toMatchObject({ status: 0 });
  expect(guest.resolve('db4', '10.96.0.1')).toEqual(['10.96.0.79']);

  // What its dnsmasq would not take is refused, and the one that runs goes on.
  const seen = async (): Promise<unknown> => [
    JSON.parse((await w.qlaunch('net', 'info', 'lab', '--json')).stdout),
    (await w.qlaunch('net', 'dumpxml', 'lab')).stdout,
  ];
  const options = '<dnsmasq:options><dnsmasq:option value="cache-size=many"/></dnsmasq:options></network>';
  const odd = (await w.qlaunch('net', 'dumpxml', 'lab')).stdout
    .replace('<network', '<network xmlns:dnsmasq="http://libvirt.org/schemas/network/dnsmasq/1.0"')
    .replace('</network>', options);
  writeFileSync(join(w.dir, 'odd.xml'), odd);
  expect(await w.qlaunch('net', 'define', 'odd.xml')).toMatchObject({ status: 0 });
  const asBefore = await seen();
  for (const words of [[], ['--dry-run']])
    expect(await update('--dns-host', '10.96.0.78,db3', ...words)).toMatchObject({
      status: 3,
      stderr: expect.stringMatching(/nothing was changed[\s\S]*line \d+: cache-size=many/),
    });
  expect(await seen()).toEqual(asBefore);
  expect(guest.resolve('db2', '10.96.0.1')).toEqual(['10.96.0.77']);
  expect(await w.qlaunch('net-destroy', 'lab', '--force')).toMatchObject({ status: 0 });
  execFileSync('ip', ['link', 'delete', 'dev', 'guest0']);
  expect(differences(before, snapshot())).toEqual([]);
});

test('edited: checked first, and kept where it is wrong', async () => {
  const w = labWorld();
  expect(await w.qlaunch(...CREATE)).toMatchObject({ status: 0 });
  const edit = (script: string): { status: number; said: string } => {
    const env = { ...process.env, ...w.env, VISUAL: `sed -i -e '${script}'` };
    try {
      return {
        status: 0,
        said: execFileSync(programs[0]?.path ?? '', ['net', 'edit', 'lab'], {
          env,
          encoding: 'utf8',
          stdio: 'pipe',
        }),
      };
    } catch (error) {
      const { status, stderr } = error as { status: number; stderr: string };
      return { status, said: stderr };
    }
  };
  const xml = async (): Promise<string> => (await w.qlaunch('net', 'dumpxml', 'lab')).stdout;
  const first = await xml();
  expect(edit('s/10.96.0.1"/10.96.0.0"/')).toMatchObject({
    status: 2,
    said: expect.stringContaining('network/ip'),
  });
  const wrong = edit('s/>lab</>other</');
  expect(wrong).toMatchObject({ status: 2, said: expect.stringContaining('can not be renamed') });
  const [, kept = ''] = /net define (\S+lab\.xml)/.exec(wrong.said) ?? [];
  expect(readFileSync(kept, 'utf8')).toContain('<name>other</name>');
  expect(await xml()).toBe(first);
  expect(edit('s/prefix="24"/prefix="16"/')).toMatchObject({ status: 0 });
  expect(await xml()).toBe(first.replace('prefix="24"', 'prefix="16"'));
  expect(edit('s/nothing/here/')).toMatchObject({ status: 0 });
});

test('started at boot by systemd; elsewhere what to set up is said', async () => {
  const w = labWorld();
  expect(await w.qlaunch(...CREATE)).toMatchObject({ status: 0 });
  const hint = await w.qlaunch('net', 'autostart', 'lab');
  expect(hint).toMatchObject({ status: 0, stderr: expect.stringContaining('/etc/local.d/qlaunch.start') });
  // What it says to type, typed; and what it makes, run as OpenRC and cron run it.
  mkdirSync('/etc/local.d', { recursive: true });
  mkdirSync('/etc/cron.d', { recursive: true });
  onTestFinished(() => {
    for (const made of ['/etc/local.d/qlaunch.start', '/etc/cron.d/qlaunch']) rmSync(made, { force: true });
  });
  for (const [, line = ''] of hint.stderr.matchAll(/^ {2}(?:OpenRC|cron): +(.*)$/gm))
    execFileSync('sh', ['-c', line.replace('rc-update', 'true rc-update')]);
  const [, reboot = ''] = /^@reboot root (.*)$/m.exec(readFileSync('/etc/cron.d/qlaunch', 'utf8')) ?? [];
  for (const boot of ['/etc/local.d/qlaunch.start', reboot]) {
    execFileSync('sh', ['-c', boot], { env: { ...w.env, PATH: '/usr/bin:/bin' } });
    expect((await w.qlaunch('net', 'stop', 'lab')).status, boot).toBe(0);
  }
  expect((await w.qlaunch('net', 'autostart')).stdout).toBe('lab');
  expect(await w.qlaunch('net', 'autostart', 'lab', '--disable')).toMatchObject({ status: 0 });

  // The sandbox has a /run and an /etc of its own.
  mkdirSync('/run/systemd/system', { recursive: true });
  onTestFinished(() => rmSync('/run/systemd', { recursive: true }));
  // systemd does not run here: its tool only tells what it is asked for.
  const log = join(w.dir, 'asked');
  writeFileSync(join(w.dir, 'systemctl'), `#!/bin/sh\necho "$@" >> ${log}\n`, { mode: 0o755 });
  const env = { ...process.env, ...w.env, PATH: `${w.dir}:${process.env['PATH']}` };
  const autostart = (...words: readonly string[]): string =>
    execFileSync(programs[0]?.path ?? '', ['net', 'autostart', ...words], { env, encoding: 'utf8' });
  expect(autostart('lab', '--dry-run')).toContain('systemctl enable qlaunch-networks.service');
  const unit = '/etc/systemd/system/qlaunch-networks.service';
  expect(existsSync(unit)).toBe(false);
  autostart('lab');
  execFileSync('systemd-analyze', ['verify', '--man=no', unit]);
  // What the boot runs.
  const [, line = ''] = /^ExecStart=(.*)$/m.exec(readFileSync(unit, 'utf8')) ?? [];
  execFileSync('sh', ['-c', line], { env: { ...w.env, PATH: '/usr/sbin:/usr/bin' } });
  expect(JSON.parse((await w.qlaunch('net', 'list', '--json')).stdout)).toEqual([
    expect.objectContaining({ name: 'lab', active: true }),
  ]);
  autostart('lab', '--disable');
  expect(existsSync(unit)).toBe(false);
  expect(readFileSync(log, 'utf8')).toBe(
    'enable qlaunch-networks.service\ndisable qlaunch-networks.service\n',
  );

  // What is forgotten does not come back with the next boot.
  expect(await w.qlaunch('net', 'stop', 'lab')).toMatchObject({ status: 0 });
  autostart('lab');
  execFileSync(programs[0]?.path ?? '', ['net', 'undefine', 'lab'], { env });
  expect(existsSync(unit)).toBe(false);
  expect((await w.qlaunch('net', 'autostart')).stdout).toBe('');
  // Root runs it at every boot: nobody else may say what it is.
  const open = join(w.dir, 'open');
  const bin = join(open, 'bin');
  cpSync(new URL('../../../dist/bin', import.meta.url).pathname, bin, { recursive: true });
  execFileSync('chmod', ['o+w', open]);
  expect(await w.qlaunch(...CREATE)).toMatchObject({ status: 0 });
  const refused = spawnSync(join(bin, 'qlaunch'), ['net', 'autostart', 'lab'], { env, encoding: 'utf8' });
  expect(refused).toMatchObject({ status: 3, stderr: expect.stringContaining(`others may write ${open}`) });
});
