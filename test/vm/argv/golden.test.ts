/**
 * Every golden command is given to both QEMUs, as the text it is, by a shell, with -S behind it; QMP then says what
 * QEMU made of it. Where it can not start here, its refusal shows that it got as far as the thing that is missing.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { QmpClient } from '../../../src/run/qmp/client.ts';
import { type GoldenCase, goldenCases, PLACES } from '../../golden/qemu/cases.ts';
import { qemus } from '../../tiers/qemus.ts';
import { makeFiles } from './files.ts';
import { expectBlocks, expectNics, expectRest } from './qmp-facts.ts';
import { world } from './world.ts';

/** What is missing on the test machine, or in one of the QEMUs. */
const NO_DEVICE = /vfio \/sys\/bus\/pci\/devices\/[0-9a-f:.]+: no such host device/;
const REFUSED: Readonly<Record<string, { readonly by?: string; readonly says: RegExp }>> = {
  'display-gtk': { says: /gtk/ },
  'net-igb': { by: '7.2', says: /'igb' is not a valid device model name/ },
  'net-passt-native': {
    says: /Parameter 'type' does not accept value 'passt'|Invalid parameter type|'passt' is not compiled/,
  },
  'net-tap-fd': { says: /Unable to query TUNGETIFF on FD 3/ },
  hostdev: { says: NO_DEVICE },
  'net-vfio': { says: NO_DEVICE },
  'net-vfio-pc': { says: NO_DEVICE },
  'seed-net-tap-fd': { says: /Unable to query TUNGETIFF on FD 3/ },
  'seed-vfio': { says: NO_DEVICE },
};

/** Descriptors that the user hands over. */
const DESCRIPTORS = 'exec 3<>/dev/net/tun 4<>/dev/net/tun\n';

describe.each(qemus)('QEMU $label', ({ label, binary }) => {
  test.each(goldenCases())('$name', async (golden) => {
    // This machine has no KVM for guests; everything else is the golden text.
    const text = (golden.expected ?? '')
      .trimEnd()
      .replace('-accel kvm', '-accel tcg')
      .replace('-cpu host', '-cpu max');
    const refused = REFUSED[golden.name];
    if (refused && (refused.by ?? label) === label) {
      expect((await start(golden, text, binary)).outcome).toMatch(refused.says);
      return;
    }
    const noVhost = text.replaceAll(/,vhost(force)?=on/g, '');
    if (noVhost !== text && !existsSync('/dev/vhost-net'))
      expect((await start(golden, text, binary)).outcome).toMatch(/tap: open vhost char device failed/);
    const {
      outcome: qmp,
      said,
      path,
    } = await start(golden, existsSync('/dev/vhost-net') ? text : noVhost, binary);
    if (typeof qmp === 'string') throw new Error(`QEMU did not start: ${qmp}`);
    await expectBlocks(qmp, golden);
    await expectNics(qmp, golden);
    await expectRest(qmp, golden);
    expect(said()).not.toMatch(/warning|deprecated/i);
    expect(existsSync(path('/srv/pwned'))).toBe(false);
  });
});

interface Started {
  readonly outcome: QmpClient | string;
  said(): string;
  path(inside: string): string;
}

async function start(golden: GoldenCase, text: string, binary: string): Promise<Started> {
  const place = await world(`${/\bfd=3\b/.test(text) ? DESCRIPTORS : ''}exec ${text} -S`, binary);
  const runDir = join(PLACES.run, golden.spec.name);
  makeFiles(place, golden.spec, golden.formats, runDir);
  place.go();
  return { outcome: await place.monitor(join(runDir, 'command.sock')), said: place.said, path: place.path };
}
