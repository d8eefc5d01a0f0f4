// lab: no-iommu
/** In the nested machine only: a module is unloaded and a device node removed. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { world } from '../tiers/cli.ts';

const TUN = '/dev/net/tun';
const isLoaded = (): boolean => existsSync('/sys/module/tun');

interface Row {
  readonly id: string;
  readonly state: string;
  readonly fact: string;
}

test('a module that is not loaded: looking does not load it, --fix does, undo takes it out', async () => {
  const w = world();
  const rows = async (...args: readonly string[]): Promise<readonly Row[]> => {
    const { stdout } = await w.qlaunch('doctor', 'tun', '--json', ...args);
    const { findings } = JSON.parse(stdout) as { findings: readonly Row[] };
    return findings.filter(({ id }) => id.startsWith('tun-'));
  };
  execFileSync('modprobe', ['-r', 'tun']);
  if (!existsSync(TUN)) execFileSync('sh', ['-c', `mkdir -p /dev/net && mknod -m 666 ${TUN} c 10 200`]);
  expect((await rows()).map(({ id, state }) => [id, state])).toEqual([
    ['tun-driver', 'ok'],
    ['tun-device', 'ok'],
  ]);
  expect(isLoaded()).toBe(false);

  execFileSync('rm', [TUN]);
  expect(await rows()).toMatchObject([
    { id: 'tun-driver', state: 'problem', fact: 'the module tun is not loaded' },
    { id: 'tun-device', state: 'problem', fact: `there is no ${TUN}` },
  ]);
  const dry = await w.qlaunch('doctor', 'tun', '--fix', '--dry-run');
  expect(dry.stdout).toContain('modprobe tun');
  expect(isLoaded()).toBe(false);

  // The kernel makes the node anew (devtmpfs).
  expect((await rows('--fix')).map(({ state }) => state)).toEqual(['ok', 'ok']);
  expect(isLoaded()).toBe(true);
  const open = JSON.parse((await w.qlaunch('changes', '--json')).stdout) as { id: string; title: string }[];
  expect(open.map(({ title }) => title)).toEqual(['doctor: tun-driver']);
  for (const { id } of open)
    expect(await w.qlaunch('undo', id)).toEqual({ status: 0, stdout: '', stderr: `${id}: taken back` });
  expect(isLoaded()).toBe(false);
});
