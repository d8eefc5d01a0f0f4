import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { world } from '../../tiers/cli.ts';
import { guestCopy } from '../../tiers/guest.ts';
import { freePort } from '../../tiers/port.ts';

test('help of a command is that command’s, however deep', async () => {
  const w = world();
  const first = async (...args: readonly string[]): Promise<string | undefined> =>
    (await w.qlaunch('help', ...args)).stdout.split('\n')[0];
  expect(await first('disk', 'create')).toBe('Usage: qlaunch disk create [options] <file> [size]');
  expect(await first('run')).toContain('qlaunch run');
  expect(await first()).toContain('IMAGE|PROFILE|COMMAND');
  expect(await w.qlaunch('help', 'disk', 'creat')).toMatchObject({
    status: 2,
    stdout: '',
    stderr: expect.stringMatching(/there is no command "creat"(.|\n)*try: {5}qlaunch help disk create$/),
  });
});

test('a mistake in a command is answered by its own help', async () => {
  const w = world();
  for (const [args, help] of [
    [['stop'], 'qlaunch help stop'],
    [['disk', 'create'], 'qlaunch help disk create'],
    [['vm.img', '--nope'], 'qlaunch help run'],
  ] as const) {
    const { status, stderr } = await w.qlaunch(...args);
    expect([status, stderr.split('\n').at(-1)]).toEqual([2, `  try:     ${help}`]);
    expect(await w.qlaunch(...help.split(' ').slice(1))).toMatchObject({ status: 0, stderr: '' });
  }
});

test('config show needs nothing to boot, and names whole paths', async () => {
  const w = world();
  mkdirSync(join(w.dir, 'config'));
  writeFileSync(join(w.dir, 'config/config.ini'), '[vm]\nmemory = 2G\n[net0]\nmode = user\n');
  const { status, stdout, stderr } = await w.qlaunch('config', 'show', '--json');
  expect([status, stderr]).toEqual([0, '']);
  expect(JSON.parse(stdout)).toEqual(
    expect.arrayContaining([
      { key: 'memory', value: '2G', from: `[vm] memory in ${w.dir}/config/config.ini:2` },
      { key: 'net0.mode', value: 'user', from: `[net0] mode in ${w.dir}/config/config.ini:4` },
    ]),
  );
  expect(await w.qlaunch()).toMatchObject({ status: 0 });
});

test('a running VM: its screen’s address, where its serial line is, what QEMU refuses', async () => {
  const w = world();
  const port = await freePort();
  const serial = join(w.dir, 'a, b.log');
  const args = [
    '-d',
    '-n',
    'web',
    '--accel',
    'tcg',
    '--vnc',
    `[::1]:${port - 5900}`,
    '--serial',
    `file:${serial}`,
  ];
  const started = await w.qlaunch(guestCopy(w.dir), ...args);
  expect(started.stdout).toContain(`screen   vnc://[::1]:${port}\n`);
  expect(await w.qlaunch('logs', 'web')).toMatchObject({
    status: 0,
    stderr: `the serial line of web goes to ${serial}: tail '${serial}'`,
  });
  expect(await w.qlaunch('qmp', 'web', 'no-such-command')).toEqual({
    status: 4,
    stdout: '',
    stderr: expect.stringMatching(
      /^qlaunch: QEMU refused no-such-command \[QL_QMP_REFUSED\]\n {2}because: CommandNotFound: /,
    ),
  });
});

test('how VMs ended, and what they said, as JSON', async () => {
  const w = world();
  await w.qlaunch(guestCopy(w.dir), '-d', '-n', 'web', '--accel', 'tcg');
  const data = async (...args: readonly string[]): Promise<unknown> =>
    JSON.parse((await w.qlaunch(...args, '--json')).stdout);
  const ended = { name: 'web', uid: 0, state: 'failed', exit: 137, reason: 'killed by signal 9' };
  expect(await data('kill', 'web')).toEqual([ended]);
  expect(await data('stop', 'web')).toEqual([ended]);
  expect(await data('wait', 'web')).toEqual(ended);
  expect(await data('logs', 'web')).toEqual({ qemu: expect.any(String), serial: expect.any(String) });
  expect(await data('logs', 'web', '--serial')).toEqual({ serial: expect.any(String) });
  expect(await w.qlaunch('logs', 'web', '-f', '--json')).toMatchObject({ status: 2 });
  expect((await w.qlaunch('recover', '--dry-run')).stdout).toBe('# nothing to take back');
});
