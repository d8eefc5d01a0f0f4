// needs: bridge, nft_inet, nft_nat, veth
/** Checksums of DHCP answers: completed by iptables where the kernel has no act_csum, and where neither is there, said. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { differences, snapshot } from '../../snapshot.ts';
import { type World, world } from '../../tiers/cli.ts';
import { station } from '../../tiers/station.ts';

/** Debian's iptables, unpacked and not installed, in a directory of its own. */
function iptables(dir: string): string {
  const script = new URL('../../../scripts/firewalls', import.meta.url).pathname;
  const root = execFileSync(script, { encoding: 'utf8' }).trim();
  const [libraries, others] = ['usr/lib', 'lib'].map((lib) => `${root}/${lib}/x86_64-linux-gnu`);
  const bin = join(dir, 'iptables-bin');
  mkdirSync(bin);
  const line = `LD_LIBRARY_PATH=${libraries}:${others} XTABLES_LIBDIR=${libraries}/xtables exec ${root}/usr/sbin/iptables-nft "$@"`;
  writeFileSync(join(bin, 'iptables'), `#!/bin/sh\n${line}\n`, { mode: 0o755 });
  return bin;
}

/** tc as on a kernel without act_csum: the one that runs the tests may have it. */
function plainTc(bin: string): void {
  const real = execFileSync('sh', ['-c', 'command -v tc'], { encoding: 'utf8' }).trim();
  const script = `#!/bin/sh\ncase "$*" in *csum*) echo 'Failed to load TC action module.' >&2; exit 2 ;; esac\nexec ${real} "$@"\n`;
  writeFileSync(join(bin, 'tc'), script, { mode: 0o755 });
}

async function lab(bin: (w: World) => string): Promise<World> {
  const w = world();
  const before = process.env['PATH'];
  process.env['PATH'] = `${bin(w)}:${before}`;
  onTestFinished(async () => {
    await w.qlaunch('net', 'stop', 'lab', '--force');
    process.env['PATH'] = before;
  });
  const words = ['--subnet', '10.94.0.0/24', '--bridge', 'lab0'];
  expect(await w.qlaunch('net', 'create', 'lab', ...words)).toMatchObject({ status: 0 });
  return w;
}

const finding = async (w: World): Promise<unknown> =>
  JSON.parse((await w.qlaunch('net', 'check', '--no-probe', '--json')).stdout).findings.find(
    ({ id }: { id: string }) => id === 'net-checksum',
  );

test('by iptables: each answer passes the rule; mended, and gone with the network', async () => {
  const w = await lab(({ dir }) => {
    const bin = iptables(dir);
    plainTc(bin);
    return bin;
  });
  const before = snapshot();
  expect((await w.qlaunch('net', 'start', 'lab', '--dry-run')).stdout).toContain(
    '-j CHECKSUM --checksum-fill',
  );
  expect(await w.qlaunch('net', 'start', 'lab')).toMatchObject({ status: 0, stderr: '' });
  const guest = station('guest', 'lab0');
  expect(guest.dhcp() ?? guest.dhcp()).toMatch(/^10\.94\.0\./);
  const rules = (): string =>
    execFileSync('iptables', ['-t', 'mangle', '-v', '-S', 'POSTROUTING'], { encoding: 'utf8' });
  expect(rules()).toMatch(/-o lab0 .*--dport 68 .*-c [1-9].*-j CHECKSUM/);
  expect(await finding(w)).toMatchObject({ state: 'ok' });
  execFileSync('iptables', ['-t', 'mangle', '-F', 'POSTROUTING']);
  expect(await finding(w)).toMatchObject({ state: 'problem' });
  expect(await w.qlaunch('net', 'check', '--fix', '--no-probe')).toMatchObject({ status: 0 });
  expect(rules()).toContain('CHECKSUM');
  expect(await w.qlaunch('net', 'stop', 'lab', '--force')).toMatchObject({ status: 0 });
  execFileSync('ip', ['link', 'delete', 'dev', 'guest0']);
  expect(differences(before, snapshot())).toEqual([]);
}, 90_000);

test('by nobody: said when it is started, and by check', async () => {
  const w = await lab(({ dir }) => {
    const bin = join(dir, 'bin');
    mkdirSync(bin);
    plainTc(bin);
    writeFileSync(join(bin, 'iptables'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    return bin;
  });
  const words = 'may not take DHCP answers on lab0: this kernel has no act_csum';
  expect(await w.qlaunch('net', 'start', 'lab')).toMatchObject({
    ...{ status: 0, stderr: '' },
    stdout: expect.stringContaining(words),
  });
  expect(await finding(w)).toMatchObject({ state: 'ok', fact: expect.stringContaining(words) });
}, 90_000);
