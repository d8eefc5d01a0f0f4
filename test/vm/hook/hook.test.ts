// needs: bridge, tap, veth

import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { differences, snapshot } from '../../snapshot.ts';
import { type World, world } from '../../tiers/cli.ts';
import { cloneHooks, hooks } from '../../tiers/hooks.ts';
import { addressOf, HOST, lan, MTU, ports } from '../../tiers/lan.ts';
import { serveNonce } from '../../tiers/nonce.ts';
import { qemus, underQemus } from '../../tiers/qemus.ts';
import { startQemu } from './machine.ts';

const SERIAL = ['-serial', 'stdio', '-monitor', 'none'];

const envOf = (w: World, bridge = 'br0'): Record<string, string> => ({ ...w.env, QLAUNCH_BRIDGE: bridge });
const journals = (w: World): string[] => readdirSync(join(w.dir, 'run/journal'));

async function changesOf(w: World): Promise<{ title: string; holder: number; decision: string }[]> {
  return JSON.parse((await w.qlaunch('changes', '--json')).stdout) as never;
}

describe.each(underQemus(hooks))(
  'QEMU $qemu.label with the hooks of $ours.label',
  ({ qemu: { binary }, ours: hook }) => {
    test('plug the guest in, and its shutdown leaves nothing', async () => {
      await lan();
      const before = snapshot();
      const bridgeMac = addressOf('br0');
      const w = world();
      const served = await serveNonce(HOST);
      const fetchIt = ['-fw_cfg', `name=opt/qlaunch/fetch,string=http://${HOST}:${served.port}/`];
      const qemu = startQemu(binary, hook, envOf(w), [...SERIAL, ...fetchIt]);
      await qemu.console.waitFor('QLAUNCH-GUEST up');
      expect(ports()).toContainEqual(
        expect.objectContaining({ ifname: 'tap1', master: 'br0', mtu: MTU, state: 'forwarding' }),
      );
      expect(addressOf('tap1')).toMatch(/^fe:/);
      expect(addressOf('br0')).toBe(bridgeMac);
      expect(await changesOf(w)).toMatchObject([
        { title: 'qemu-ifup tap1', holder: qemu.child.pid, decision: 'leave' },
      ]);

      await qemu.console.waitFor('QLAUNCH-GUEST ready');
      expect(qemu.console.text()).toContain(`QLAUNCH-GUEST fetched ${served.nonce}\n`);
      const guest = /QLAUNCH-GUEST nic eth0 \S+ (10\.77\.0\.\d+)\/24/.exec(qemu.console.text())?.[1];
      const nonce = randomUUID();
      expect(await (await fetch(`http://${guest}/cgi-bin/echo?${nonce}`)).text()).toContain(nonce);

      qemu.console.type('poweroff -f');
      expect(await qemu.exited).toEqual([0, null]);
      expect(qemu.stderr()).toBe('');
      expect(journals(w)).toEqual([]);
      expect(differences(before, snapshot())).toEqual([]);
    });

    test('a bridge that is not there stops QEMU, with our words before its own', async () => {
      const w = world();
      const qemu = startQemu(binary, hook, envOf(w, 'br9'), SERIAL);
      expect(await qemu.exited).toEqual([1, null]);
      expect(qemu.stderr()).toContain('qlaunch: there is no bridge br9 [QL_NO_BRIDGE]');
      // 768: status 3 as wait(2) writes it.
      expect(qemu.stderr()).toContain(`network script ${hook.up} failed with status 768`);
    });

    test('after kill -9 of QEMU, recover closes the record and nothing is left', async () => {
      await lan();
      const before = snapshot();
      const w = world();
      const qemu = startQemu(binary, hook, envOf(w), SERIAL);
      await qemu.console.waitFor('QLAUNCH-GUEST up');
      qemu.child.kill('SIGKILL');
      expect(await qemu.exited).toEqual([null, 'SIGKILL']);
      expect(await changesOf(w)).toMatchObject([{ title: 'qemu-ifup tap1', decision: 'undo' }]);
      expect(await w.qlaunch('recover')).toMatchObject({ status: 0 });
      expect(journals(w)).toEqual([]);
      expect(differences(before, snapshot())).toEqual([]);
    });

    test('a daemonized QEMU runs the downscript from / without stdio', async () => {
      await lan();
      const before = snapshot();
      const w = world();
      const pidFile = join(w.dir, 'qemu.pid');
      const daemon = ['-daemonize', '-pidfile', pidFile, '-serial', 'null', '-monitor', 'none'];
      const qemu = startQemu(binary, hook, envOf(w), daemon);
      expect(await qemu.exited).toEqual([0, null]);
      const pid = Number(readFileSync(pidFile, 'utf8'));
      expect(ports()).toContainEqual(expect.objectContaining({ ifname: 'tap1', master: 'br0' }));
      expect(await changesOf(w)).toMatchObject([{ holder: pid }]);
      process.kill(pid, 'SIGTERM');
      await expect.poll(() => addressOf('tap1'), { timeout: 30_000 }).toBeUndefined();
      expect(journals(w)).toEqual([]);
      expect(differences(before, snapshot())).toEqual([]);
    });
  },
);

test.each(qemus)(
  'a tap that stays is not unplugged for the dead one who had it (QEMU $label)',
  async ({ binary }) => {
    await lan();
    execFileSync('ip', ['tuntap', 'add', 'dev', 'tap1', 'mode', 'tap']);
    onTestFinished(() => void execFileSync('ip', ['link', 'delete', 'dev', 'tap1']));
    const w = world();
    await useOnce(binary, w);
    const before = snapshot();
    const killed = startQemu(binary, cloneHooks, envOf(w), SERIAL);
    await killed.console.waitFor('QLAUNCH-GUEST up');
    killed.child.kill('SIGKILL');
    await killed.exited;
    const next = startQemu(binary, cloneHooks, envOf(w), SERIAL);
    await next.console.waitFor('QLAUNCH-GUEST up');
    expect(await w.qlaunch('recover')).toMatchObject({ status: 0, stderr: 'nothing to take back' });
    expect(ports()).toContainEqual(expect.objectContaining({ ifname: 'tap1', master: 'br0' }));
    next.child.kill('SIGTERM');
    await next.exited;
    expect(differences(before, snapshot())).toEqual([]);
  },
);

/** What QEMU itself leaves on a tap, and the kernel when it is up for the first time, is none of the hooks' doing. */
async function useOnce(binary: string, w: World): Promise<void> {
  const ip = (...words: string[]): string => execFileSync('ip', words, { encoding: 'utf8' });
  const qemu = startQemu(binary, { label: 'none', up: 'no', down: 'no' }, envOf(w), [...SERIAL, '-S']);
  await expect
    .poll(() => ip('-d', 'link', 'show', 'dev', 'tap1'), { timeout: 30_000 })
    .toContain('vnet_hdr on');
  for (const state of ['up', 'down']) ip('link', 'set', 'dev', 'tap1', state);
  qemu.child.kill('SIGKILL');
  await qemu.exited;
}

test.each(qemus)('nothing gets into a QMP stream on stdout (QEMU $label)', async ({ binary }) => {
  await lan();
  const w = world();
  const qemu = startQemu(binary, cloneHooks, envOf(w), ['-qmp', 'stdio', '-monitor', 'none']);
  qemu.child.stdin.end('{"execute":"qmp_capabilities"}{"execute":"quit"}');
  await qemu.exited;
  const lines = qemu.console.text().trim().split('\n');
  for (const line of lines) expect(JSON.parse(line)).toBeTypeOf('object');
});
