import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { linuxMachine } from '../../src/host/linux.ts';
import type { Host } from '../../src/host/port.ts';
import { PROOF } from '../../src/host/qemu/accel/probe-rom.ts';
import { chooseAccel, runProbe } from '../../src/host/qemu/accel.ts';
import { askQemu, qemuCaps } from '../../src/host/qemu/ask.ts';
import { findQemu } from '../../src/host/qemu/find.ts';
import { qemus } from '../tiers/qemus.ts';

const cache = mkdtempSync(join(tmpdir(), 'caps-'));
process.env['QLAUNCH_CACHE_DIR'] = cache;
afterAll(() => rmSync(cache, { recursive: true }));

const host = linuxMachine();
const deaf: Pick<Host, 'run'> = {
  run: async (argv) => {
    throw new Error(`asked again: ${argv.join(' ')}`);
  },
};

describe.each(qemus)('QEMU $label', ({ label, binary }) => {
  const qemu = findQemu(binary);

  test('tells what it can do', async () => {
    const caps = await askQemu(host, qemu);
    expect(`${caps.version.major}.${caps.version.minor}`).toBe(label === '7.2' ? '7.2' : '10.0');
    expect([...caps.netdevs]).toEqual(expect.arrayContaining(['user', 'tap', 'bridge', 'stream', 'dgram']));
    expect([...caps.devices]).toEqual(
      expect.arrayContaining([
        'virtio-net-pci',
        'virtio-net',
        'e1000e',
        'rtl8139',
        'vmxnet3',
        'vfio-pci',
        'nvme',
      ]),
    );
    expect([...caps.machines]).toEqual(expect.arrayContaining(['q35', 'pc', 'microvm']));
    expect([...caps.accels].sort()).toEqual(['kvm', 'tcg']);
    expect([...caps.commands]).toEqual(
      expect.arrayContaining(['query-status', 'netdev_add', 'system_powerdown']),
    );
    expect(caps.displays.has('none')).toBe(true);
    expect(caps.bridgeHelper).toBe('/usr/lib/qemu/qemu-bridge-helper');
  });

  test('what differs between the two is seen', async () => {
    const caps = await askQemu(host, qemu);
    const newer = label !== '7.2';
    expect(caps.devices.has('igb')).toBe(newer);
    expect(caps.features.has('netdev-stream-reconnect-ms')).toBe(newer);
    expect(caps.features.has('vfio-iommufd')).toBe(newer);
    expect(caps.features.has('run-with-user')).toBe(newer);
    // Both are older than 10.1.
    expect(caps.netdevs.has('passt')).toBe(false);
    expect(caps.features.has('run-with-exit-with-parent')).toBe(false);
  });

  test('is asked once', async () => {
    const first = await qemuCaps(host, qemu);
    expect(await qemuCaps(deaf, qemu)).toEqual(first);
  });

  test('runs the probe guest to its end under TCG', async () => {
    const result = await runProbe(host, [binary], 'tcg', 30_000);
    expect(result).toMatchObject({ status: 0, stdout: expect.stringContaining(`RPL${PROOF}`) });
  });

  test('auto: an answer with a reason, kept for this boot', async () => {
    const choice = await chooseAccel(host, qemu);
    // Here KVM runs guests or it does not; the probe guest under `kvm` must agree with the choice.
    const proof = await runProbe(host, [binary], 'kvm', 2000);
    expect(choice.accel).toBe(proof.stdout.includes(PROOF) ? 'kvm' : 'tcg');
    if (choice.accel === 'tcg') expect(choice.because).not.toBe('');
    expect(await chooseAccel(deaf, qemu)).toEqual(choice);
  });
});

test('a program that is no QEMU is refused in its own words', async () => {
  await expect(askQemu(host, findQemu('/bin/false'))).rejects.toMatchObject({ code: 'QL_QEMU_ASK' });
  await expect(askQemu(host, findQemu('/bin/true'))).rejects.toMatchObject({ code: 'QL_QEMU_ASK' });
});

test.each(qemus)('asked by many at once, each gets the whole answer (QEMU $label)', async ({ binary }) => {
  const asked = await Promise.all(
    Array.from({ length: 12 }, () => askQemu(linuxMachine(), findQemu(binary))),
  );
  for (const caps of asked) expect(caps).toEqual(asked[0]);
});
