// needs: bridge, tap, veth
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { leavePlan } from '../../../src/plan/hook/left.ts';
import { apply } from '../../../src/run/apply.ts';
import { openEngine } from '../../../src/run/open-engine.ts';
import { release } from '../../../src/run/recover.ts';
import { differences, snapshot } from '../../snapshot.ts';
import { scratchDir } from '../../tiers/guest.ts';
import { cloneHooks, hooks } from '../../tiers/hooks.ts';

const NOBODY = 65534;
const ip = (line: string): void => void execFileSync('ip', line.split(' '));

let dir: string;
let env: Record<string, string>;

beforeEach(() => {
  for (const name of ['br0', 'br1']) {
    ip(`link add name ${name} address 02:00:00:00:00:0${name.slice(2)} type bridge`);
    ip(`link set dev ${name} up`);
  }
  ip('tuntap add dev tap1 mode tap');
  // What nobody can take back happens now: the first time it is up, a link gets its qdisc, and a bridge its offloads
  // with its first port.
  for (const words of ['master br0 up', 'down', 'nomaster']) ip(`link set dev tap1 ${words}`);
});
afterEach(() => {
  for (const name of ['tap1', 'br0', 'br1']) ip(`link delete dev ${name}`);
});

/** A world of its own for the running test; a variable that is undefined is unset. */
function tryOn(
  program: string,
  args: readonly string[],
  more: Readonly<Record<string, string | undefined>> = {},
): { readonly status: number | null; readonly stderr: string; readonly stdout: string } {
  const all: NodeJS.ProcessEnv = { ...process.env, ...env, ...more };
  return spawnSync(program, args, { env: all, encoding: 'utf8', cwd: '/' });
}

beforeEach(() => {
  dir = scratchDir();
  env = {
    QLAUNCH_RUNTIME_DIR: join(dir, 'run'),
    QLAUNCH_STATE_DIR: join(dir, 'state'),
    QLAUNCH_CONFIG_DIR: join(dir, 'config'),
  };
  mkdirSync(join(dir, 'config'));
});

function masterOf(ifname: string): string | undefined {
  const text = execFileSync('ip', ['-j', 'link', 'show', 'dev', ifname], { encoding: 'utf8' });
  return (JSON.parse(text) as { master?: string }[])[0]?.master;
}

const rules = (text: string): void => writeFileSync(join(dir, 'config/ifup.ini'), text);

describe.each(hooks)('the hooks of $label', ({ up, down }) => {
  test('a tap that stays comes back exactly as it was, and a second call changes nothing', () => {
    const before = snapshot();
    ip('link set dev br0 mtu 1400');
    const asked = { QLAUNCH_BRIDGE: 'br0' };
    expect(tryOn(up, ['tap1'], asked)).toMatchObject({ status: 0, stdout: '', stderr: '' });
    const plugged = snapshot();
    expect(tryOn(up, ['tap1'], asked)).toMatchObject({ status: 0, stdout: '', stderr: '' });
    expect(differences(plugged, snapshot())).toEqual([]);
    expect(readdirSync(join(dir, 'run/journal'))).toHaveLength(1);
    expect(tryOn(down, ['tap1'])).toMatchObject({ status: 0, stdout: '', stderr: '' });
    expect(tryOn(down, ['tap1'])).toMatchObject({ status: 0, stdout: '', stderr: '' });
    ip('link set dev br0 mtu 1500');
    expect(differences(before, snapshot())).toEqual([]);
  });

  test('a tap that is gone is as good as taken back', () => {
    tryOn(up, ['tap1'], { QLAUNCH_BRIDGE: 'br0' });
    ip('link delete dev tap1');
    expect(tryOn(down, ['tap1'])).toMatchObject({ status: 0, stderr: '' });
    expect(readdirSync(join(dir, 'run/journal'))).toEqual([]);
    ip('tuntap add dev tap1 mode tap');
  });

  test('the downscript works with stdin, stdout and stderr closed', () => {
    tryOn(up, ['tap1'], { QLAUNCH_BRIDGE: 'br0' });
    const closed = ['-c', 'exec 0<&- 1>&- 2>&-; exec "$1" tap1', 'sh', down];
    expect(tryOn('sh', closed)).toMatchObject({ status: 0 });
    expect(masterOf('tap1')).toBeUndefined();
  });

  test('QEMU’s ignored and blocked signals do not reach the tools', () => {
    // A tool of ours in front of the real one says what it was born with.
    const status = join(dir, 'status');
    const fake = join(dir, 'bin');
    mkdirSync(fake);
    for (const tool of ['ip', 'flock']) {
      const real = execFileSync('sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' }).trim();
      // Read by the shell itself: around a fork dash blocks all signals.
      const look = `while read -r key value; do case $key in SigBlk:|SigIgn:) echo "$key $value";; esac; done`;
      const line = `#!/bin/sh\n${look} </proc/self/status >>${status}\nexec ${real} "$@"\n`;
      writeFileSync(join(fake, tool), line, { mode: 0o755 });
    }
    const asQemu = ['--ignore-signal=PIPE', '--block-signal=ALRM,USR1,IO,BUS', up, 'tap1'];
    const result = tryOn('env', asQemu, {
      QLAUNCH_BRIDGE: 'br0',
      PATH: `${fake}:${process.env['PATH'] ?? ''}`,
    });
    expect(result).toMatchObject({ status: 0, stderr: '' });
    const lines = readFileSync(status, 'utf8').trim().split('\n');
    expect(new Set(lines)).toEqual(new Set(['SigBlk: 0000000000000000', 'SigIgn: 0000000000000000']));
  });

  test('a hook waits while somebody else changes the host', () => {
    mkdirSync(join(dir, 'run/lock'), { recursive: true, mode: 0o700 });
    // Who has the lock writes a file before it lets go; the hook must not be back before that.
    const both =
      'flock "$2" sh -c "echo locked; sleep 0.5; echo free >$3" | { read -r _; "$1" tap1; cat "$3"; }';
    const args = [up, join(dir, 'run/lock/host'), join(dir, 'free')];
    const { stdout } = tryOn('sh', ['-c', both, 'sh', ...args], { QLAUNCH_BRIDGE: 'br0' });
    expect(stdout).toBe('free\n');
    expect(masterOf('tap1')).toBe('br0');
  });

  test('no process stays behind: it would keep the tap', () => {
    const held = ['-c', '"$1" tap1 9>&1 >/dev/null 2>&1; echo "over $?"', 'sh', up];
    // Ends when the last one who has descriptor 9 has ended.
    expect(tryOn('sh', held, { QLAUNCH_BRIDGE: 'br0' }).stdout).toBe('over 0\n');
  });

  test.each([
    [['tap1', 'br0'], 2],
    [[], 2],
    [['a-name-that-is-too-long'], 2],
    [['tap%d'], 2],
    [['tap9'], 3],
    [['lo'], 3],
  ])('%j is refused with status %i and changes nothing', (args, status) => {
    const before = snapshot();
    const result = tryOn(up, args, { QLAUNCH_BRIDGE: 'br0' });
    expect(result).toMatchObject({ status, stdout: '' });
    expect(result.stderr).not.toBe('');
    expect(differences(before, snapshot())).toEqual([]);
  });

  test('--dry-run prints what a person would type, and does nothing', () => {
    const before = snapshot();
    const asked = { QLAUNCH_BRIDGE: 'br0' };
    const { stderr } = tryOn(up, ['tap1', '--dry-run'], asked);
    expect(differences(before, snapshot())).toEqual([]);
    execFileSync('sh', ['-e'], { input: stderr });
    expect(masterOf('tap1')).toBe('br0');
    ip('link set dev tap1 nomaster');
    tryOn(up, ['tap1'], asked);
    expect(tryOn(down, ['tap1', '--dry-run']).stderr).toContain('link set dev tap1 nomaster');
    expect(masterOf('tap1')).toBe('br0');
  });
});

describe('which bridge', () => {
  const { up, down } = cloneHooks;
  const plug = (more: Readonly<Record<string, string | undefined>> = {}): string | undefined => {
    const { stderr, status } = tryOn(up, ['tap1'], more);
    if (status !== 0) return stderr;
    const master = masterOf('tap1');
    tryOn(down, ['tap1']);
    return master;
  };

  test('the environment, then what qlaunch left, then ifup.ini', async () => {
    rules('[tap*]\nbridge = br0\n');
    expect(plug()).toBe('br0');
    expect(plug({ QLAUNCH_BRIDGE: 'br1' })).toBe('br1');
    const engine = openEngine({ tool: 'qlaunch test', env });
    const lifetime = { vm: 'web' };
    const left = { v: 1, ifname: 'tap1', netns: engine.world.netns, bridge: 'br1', vm: 'web' } as const;
    const steps = leavePlan(left, join(dir, 'run'));
    await apply(engine, { title: 'test', lifetime }, () => ({ steps }));
    expect(plug()).toBe('br1');
    await release(engine, lifetime);
    expect(plug()).toBe('br0');
  });

  test('what fits no section goes to the bridge that carries the default route, of IPv6 too', () => {
    rules('[web*]\nbridge = br0\n');
    ip('address add 10.78.0.1/24 dev br1');
    ip('route add default via 10.78.0.2 dev br1');
    expect(plug()).toBe('br1');
    ip('route delete default');
    expect(plug()).toContain('there is no default route');
    ip('-6 route add default dev br0');
    expect(plug()).toBe('br0');
  });

  test('an alternative name means the same bridge', () => {
    ip('link property add dev br0 altname the-bridge-of-the-second-floor');
    expect(plug({ QLAUNCH_BRIDGE: 'the-bridge-of-the-second-floor' })).toBe('br0');
  });

  test('root believes no file that others can write', () => {
    rules('[tap*]\nbridge = br0\n');
    chmodSync(join(dir, 'config/ifup.ini'), 0o664);
    expect(plug()).toContain('QL_STATE_UNSAFE');
    chmodSync(join(dir, 'config/ifup.ini'), 0o644);
    chmodSync(join(dir, 'config'), 0o777);
    expect(plug()).toContain('QL_STATE_UNSAFE');
    chmodSync(join(dir, 'config'), 0o755);
    expect(plug()).toBe('br0');
    mkdirSync(join(dir, 'run/ifup'), { recursive: true });
    chmodSync(join(dir, 'run/ifup'), 0o777);
    const netns = /\d+/.exec(openEngine({ tool: 'test', env }).world.netns)?.[0];
    writeFileSync(join(dir, 'run/ifup', `tap1.${netns}`), '{}');
    expect(plug()).toContain('QL_STATE_UNSAFE');
  });

  test('a mistake in ifup.ini stops QEMU, with its place', () => {
    rules('[tap*]\nbrigde = br0\n');
    const result = tryOn(up, ['tap1']);
    expect(result.status).toBe(2);
    expect(result.stderr).toContain(`[tap*] brigde in ${dir}/config/ifup.ini:2: there is no key "brigde"`);
  });
});

describe('without root', () => {
  /** Where nobody may read it, unlike a clone in root's home. */
  function asNobody(
    [name = '', ...args]: readonly string[],
    ...more: readonly string[]
  ): ReturnType<typeof tryOn> {
    chmodSync(dir, 0o755);
    cpSync(new URL('../../../dist/bin', import.meta.url).pathname, join(dir, 'bin'), { recursive: true });
    const home = join(dir, 'home');
    mkdirSync(home, { recursive: true });
    execFileSync('chown', [`${NOBODY}`, home]);
    const state = { QLAUNCH_RUNTIME_DIR: join(home, 'run'), QLAUNCH_STATE_DIR: join(home, 'state') };
    const as = ['--reuid', `${NOBODY}`, '--regid', `${NOBODY}`, '--clear-groups', ...more];
    return tryOn('setpriv', [...as, join(dir, 'bin', name), ...args], { ...state, QLAUNCH_BRIDGE: 'br0' });
  }

  test('QEMU’s user can not plug: it is told what root has to do once', () => {
    const result = asNobody(['qemu-ifup', 'tap1']);
    expect(result).toMatchObject({ status: 4, stdout: '' });
    expect(result.stderr).toContain('[QL_NO_RIGHTS]');
    const cure = /try: {5}(.*)/.exec(result.stderr)?.[1]?.replaceAll('sudo ', '') ?? '';
    ip('link delete dev tap1');
    execFileSync('sh', ['-ec', cure]);
    expect(masterOf('tap1')).toBe('br0');
  });

  test('a QEMU that gave up its rights ends without a failure', () => {
    expect(asNobody(['qemu-ifdown', 'tap1'])).toMatchObject({ status: 0, stdout: '' });
  });

  test('with the one capability it needs, it works', () => {
    const caps = ['--inh-caps', '+net_admin', '--ambient-caps', '+net_admin'];
    expect(asNobody(['qemu-ifup', 'tap1'], ...caps)).toMatchObject({ status: 0, stderr: '' });
    expect(masterOf('tap1')).toBe('br0');
    expect(asNobody(['qemu-ifdown', 'tap1'], ...caps)).toMatchObject({ status: 0, stderr: '' });
    expect(masterOf('tap1')).toBeUndefined();
  });

  test('install-hooks says who may, and writes nothing', () => {
    const before = snapshot();
    const result = asNobody(['qlaunch', 'install-hooks']);
    expect(result).toMatchObject({ status: 3, stdout: '' });
    expect(result.stderr).toMatch(/try: {5}sudo \S*qlaunch install-hooks\n/);
    expect(differences(before, snapshot())).toEqual([]);
  });
});
