import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { libvirtBridge } from '../../../../src/host/nat/libvirt.ts';
import type { LinkFact } from '../../../../src/plan/facts.ts';
import { scratchDir } from '../../../tiers/guest.ts';

const link = (ifname: string, kind: string): LinkFact => ({
  ifindex: 1,
  ifname,
  mtu: 1500,
  flags: [],
  link_type: 'ether',
  kind,
  addresses: [],
});
const facts = {
  links: [link('virbr0', 'bridge'), link('virbr7', 'bridge'), link('eth9', 'veth')],
  token: '',
};

/** As libvirt 9.0 writes it. */
const status = (bridge: string): string =>
  `<networkstatus>\n  <class_id bitmap='0-2'/>\n  <network>\n    <bridge name='${bridge}' stp='on' delay='0'/>\n  </network>\n</networkstatus>\n`;

test('the bridge of a network of libvirt that runs, where it is a bridge', () => {
  const dir = scratchDir();
  writeFileSync(join(dir, 'lab.xml'), status('virbr7'));
  writeFileSync(join(dir, 'gone.xml'), status('virbr9'));
  writeFileSync(join(dir, 'other.xml'), status('eth9'));
  writeFileSync(join(dir, 'none.xml'), '<networkstatus/>');
  const of = (name: string): string | undefined => libvirtBridge(name, facts, dir);
  expect(['lab', 'gone', 'other', 'none', 'absent'].map(of)).toEqual(['virbr7', ...Array(4)]);
});

test('who may not read what runs knows where default is, and nothing else', () => {
  const dir = scratchDir();
  // Neither may root read a directory.
  for (const name of ['default.xml', 'lab.xml']) mkdirSync(join(dir, name));
  expect(libvirtBridge('default', facts, dir)).toBe('virbr0');
  expect(libvirtBridge('lab', facts, dir)).toBe(undefined);
  expect(libvirtBridge('default', { links: [], token: '' }, dir)).toBe(undefined);
});
