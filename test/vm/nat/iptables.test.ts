// needs: bridge, tap, veth, nft_inet, nft_nat
/** Forwards to a VM where nft is missing: by iptables, live, flushed, killed in the middle, and gone with the VM. */
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { vmRow, world } from '../../tiers/cli.ts';
import { consoleFile } from '../../tiers/console.ts';
import { guestCopy } from '../../tiers/guest.ts';
import { internet, UPLINK } from '../../tiers/internet.ts';
import { onlyIptables } from '../../tiers/iptables.ts';

const PAGE = 'cgi-bin/echo?back-again';

/** From outside. */
function answers(port: number, seconds: number): boolean {
  const argv = ['timeout', `${seconds}`, 'busybox', 'wget', '-qO-', `http://${UPLINK}:${port}/${PAGE}`];
  const { stdout } = spawnSync('ip', ['netns', 'exec', 'router', ...argv], { encoding: 'utf8' });
  return stdout.includes('back-again');
}

test('forwards of a VM by iptables', async () => {
  const host = onlyIptables('nft');
  await internet();
  const w = world();
  // dnsmasq reads what it is told later as nobody.
  chmodSync(w.dir, 0o711);
  onTestFinished(async () => void (await w.qlaunch('net', 'stop', 'default', '--force')));
  const net = `nat,ip=192.168.122.50,fwd=18080:80,fwd=${UPLINK}:8080:80`;
  const words = ['-n', 'web', '-d', '--net', net, '--accel', 'tcg', '-m', '256'];
  expect(await w.qlaunch(guestCopy(w.dir), ...words)).toMatchObject({ status: 0 });
  await consoleFile(join((await vmRow(w, 'web')).dir, 'serial.log')).waitFor('QLAUNCH-GUEST ready');
  const fromHost = async (): Promise<string> => (await fetch(`http://127.0.0.1:18080/${PAGE}`)).text();
  expect(await fromHost()).toContain('back-again');
  expect(answers(8080, 20)).toBe(true);

  const forward = (verb: string, port: number): ReturnType<typeof w.qlaunch> =>
    w.qlaunch('forward', verb, 'web', `${UPLINK}:${port}:80`);
  expect(await forward('add', 8081)).toMatchObject({ status: 0 });
  expect(answers(8081, 20)).toBe(true);
  expect(await forward('remove', 8081)).toMatchObject({ status: 0 });
  expect(answers(8081, 1)).toBe(false);

  execFileSync('iptables', ['-t', 'nat', '-F']);
  expect(await w.qlaunch('net', 'check', '--fix', '--no-probe')).toMatchObject({
    status: 0,
    stderr: expect.stringMatching(/mended: default: net-table\n[\s\S]*(mended: default: net-forward\n?){2}$/),
  });
  expect(await fromHost()).toContain('back-again');
  expect(answers(8080, 20)).toBe(true);

  const safe = host.deadly();
  await once(w.start(['forward', 'add', 'web', `${UPLINK}:8084:80`]).child, 'close');
  safe();
  expect(answers(8084, 20)).toBe(true);
  expect(await w.qlaunch('recover')).toMatchObject({ status: 0 });
  expect(answers(8084, 1)).toBe(false);

  expect(await w.qlaunch('stop', 'web')).toMatchObject({ status: 0 });
  expect(host.rules()).not.toContain('qlaunch_fwd_');
  expect(await w.qlaunch('net', 'stop', 'default')).toMatchObject({ status: 0 });
  expect(host.rules()).not.toMatch(/^-/m);
});
