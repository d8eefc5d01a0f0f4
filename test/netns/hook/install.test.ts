// needs: bridge, tap
import { execFileSync, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { differences, snapshot } from '../../snapshot.ts';
import { programs } from '../../tiers/cli.ts';
import { scratchDir } from '../../tiers/guest.ts';

const THEIRS = '#!/bin/sh\nexec /usr/local/sbin/our-own-ifup "$1"\n';
let env: NodeJS.ProcessEnv;
let prefix: string;

beforeEach(() => {
  const dir = scratchDir();
  env = { ...process.env, QLAUNCH_RUNTIME_DIR: join(dir, 'run'), QLAUNCH_STATE_DIR: join(dir, 'state') };
  prefix = join(dir, 'usr,local');
  mkdirSync(join(prefix, 'etc'), { recursive: true });
});

describe.each(programs)('install-hooks of $label', ({ path }) => {
  const run = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
    spawnSync(path, ['install-hooks', '--prefix', prefix, ...args], { env, encoding: 'utf8' });

  test('puts both in place, runnable from anywhere, and back goes what was there', () => {
    const up = join(prefix, 'etc/qemu-ifup');
    writeFileSync(up, THEIRS, { mode: 0o750 });
    chmodSync(up, 0o750);
    const before = snapshot({ files: [prefix] });
    expect(run()).toMatchObject({ status: 0 });
    expect(readFileSync(`${up}.before-qlaunch`, 'utf8')).toBe(THEIRS);
    expect(statSync(up).mode & 0o7777).toBe(0o755);

    execFileSync('sh', ['-ec', 'ip link add name br0 type bridge; ip tuntap add dev tap1 mode tap']);
    const bare = { ...env, PATH: '', QLAUNCH_BRIDGE: 'br0' };
    expect(spawnSync(up, ['tap1'], { env: bare, cwd: '/', encoding: 'utf8' })).toMatchObject({
      status: 0,
      stderr: '',
    });
    expect(execFileSync('bridge', ['link'], { encoding: 'utf8' })).toContain('tap1');
    spawnSync(join(prefix, 'etc/qemu-ifdown'), ['tap1'], { env: bare, cwd: '/' });
    expect(execFileSync('bridge', ['link'], { encoding: 'utf8' })).not.toContain('tap1');
    execFileSync('sh', ['-ec', 'ip link delete dev tap1; ip link delete dev br0']);

    expect(run('--uninstall')).toMatchObject({ status: 0 });
    expect(differences(before, snapshot({ files: [prefix] }))).toEqual([]);
    expect(run('--uninstall').stderr).toContain('nothing in');
  });

  test('a second time it is there already; over an older one of ours it makes no backup of ours', () => {
    const up = join(prefix, 'etc/qemu-ifup');
    run();
    expect(run().stderr).toContain('are ours already');
    const older = readFileSync(up, 'utf8').replace('exec ', 'exec -- ');
    writeFileSync(up, older);
    expect(run()).toMatchObject({ status: 0 });
    expect(existsSync(`${up}.before-qlaunch`)).toBe(false);
    // Changed by another hand in between, so what is left to put back is that.
    expect(run('--uninstall').stderr).toContain('taken back');
    expect(readFileSync(up, 'utf8')).toBe(older);
  });

  test.each([false, true])(
    'what somebody wrote into ours costs nobody the script that was there (twice: %s)',
    (twice) => {
      const up = join(prefix, 'etc/qemu-ifup');
      writeFileSync(up, THEIRS, { mode: 0o755 });
      const before = snapshot({ files: [prefix] });
      run();
      appendFileSync(up, '# mine\n');
      if (twice) run();
      const { status, stderr } = run('--uninstall');
      expect(status).toBe(6);
      expect(readFileSync(up, 'utf8')).toContain('# mine');
      expect(readFileSync(`${up}.before-qlaunch`, 'utf8')).toBe(THEIRS);
      const [putBack = 'false'] = [...stderr.matchAll(/try: (.*)/g)].map(([, line]) => line);
      execFileSync('sh', ['-ec', putBack]);
      expect(run('--uninstall')).toMatchObject({ status: 0 });
      expect(differences(before, snapshot({ files: [prefix] }))).toEqual([]);
    },
  );

  test('or it stays as it was written, when that is asked for', () => {
    const up = join(prefix, 'etc/qemu-ifup');
    writeFileSync(up, THEIRS, { mode: 0o755 });
    run();
    appendFileSync(up, '# mine\n');
    const [, keep = 'false'] = /as it is: qlaunch (.*)/.exec(run('--uninstall').stderr) ?? [];
    expect(spawnSync(path, keep.split(' '), { env, encoding: 'utf8' })).toMatchObject({ status: 0 });
    expect(readFileSync(up, 'utf8')).toContain('# mine');
    expect(run('--uninstall').stderr).toContain('nothing in');
  });

  test('when the program is gone, one line says where it was', () => {
    const copy = join(prefix, 'clone');
    cpSync(dirname(path), copy, { recursive: true });
    spawnSync(join(copy, 'qlaunch'), ['install-hooks', '--prefix', prefix], { env });
    rmSync(copy, { recursive: true });
    const up = join(prefix, 'etc/qemu-ifup');
    const { status, stderr } = spawnSync(up, ['tap7'], { env, encoding: 'utf8' });
    expect(status).toBe(1);
    expect(stderr).toMatch(
      new RegExp(`^${up}: qlaunch was at ${copy}/\\S+ and is not there any more: .*\\n$`),
    );
    expect(run()).toMatchObject({ status: 0 });
    expect(run('--uninstall')).toMatchObject({ status: 0 });
  });

  test('a symbolic link comes back as one', () => {
    const up = join(prefix, 'etc/qemu-ifup');
    symlinkSync('/nowhere/ifup', up);
    const before = snapshot({ files: [prefix] });
    run();
    expect(readFileSync(up, 'utf8')).toContain('install-hooks');
    run('--uninstall');
    expect(differences(before, snapshot({ files: [prefix] }))).toEqual([]);
  });

  test('--dry-run prints it for sh, and writes nothing', () => {
    const before = snapshot({ files: [prefix] });
    const { stdout } = run('--dry-run');
    expect(differences(before, snapshot({ files: [prefix] }))).toEqual([]);
    execFileSync('sh', ['-e'], { input: stdout });
    const byHand = snapshot({ files: [prefix] });
    rmSync(join(prefix, 'etc'), { recursive: true });
    mkdirSync(join(prefix, 'etc'));
    run();
    expect(differences(byHand, snapshot({ files: [prefix] }))).toEqual([]);
    expect(run('--uninstall', '--dry-run').stdout).toContain(`rm -f`);
  });

  test('a prefix without an etc is refused with the cure', () => {
    rmSync(join(prefix, 'etc'), { recursive: true });
    const { status, stderr } = run();
    expect(status).toBe(3);
    execFileSync('sh', ['-ec', /try: {5}(.*)/.exec(stderr)?.[1] ?? 'false']);
    expect(run()).toMatchObject({ status: 0 });
  });
});

describe('without --prefix', () => {
  const path = '/etc/qemu-ifup';
  let before: string | undefined;
  beforeEach(() => {
    before = existsSync(path) ? readFileSync(path, 'utf8') : undefined;
  });
  afterEach(() => {
    if (before !== undefined) writeFileSync(path, before);
  });

  test('it is /etc', () => {
    const [program] = programs;
    expect(spawnSync(program?.path ?? '', ['install-hooks'], { env, encoding: 'utf8' })).toMatchObject({
      status: 0,
    });
    expect(readFileSync(path, 'utf8')).toContain('install-hooks');
    spawnSync(program?.path ?? '', ['install-hooks', '--uninstall'], { env });
    expect(existsSync(path) ? readFileSync(path, 'utf8') : undefined).toBe(before);
  });
});
