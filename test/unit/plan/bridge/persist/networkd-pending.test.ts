import { expect, test } from 'vitest';
import { pendingFiles } from '../../../../../src/plan/bridge/persist/networkd-pending.ts';

const DIR = '/etc/systemd/network';
const LAN = { path: `${DIR}/20-lan.network`, content: '[Match]\nName=eth0\n' };
const OWN = { path: `${DIR}/10-qlaunch-br9.network`, content: '[Match]\nName=br9\n' };
const NOW = { path: '/run/systemd/network/10-0-qlaunch-br0.network', content: '[Match]\nName=br0\n' };
const BOOT = { path: `${DIR}/10-qlaunch-br0.network`, content: NOW.content };
const OLD = { path: '/run/systemd/network/10-qlaunch-br0.network', content: NOW.content };
const LINKS = [
  { link: 'br0', isBridge: true, file: NOW.path },
  { link: 'br9', isBridge: true },
  { link: 'eth0', isBridge: false, file: LAN.path },
  { link: 'eth1', isBridge: false, mac: '52:54:00:00:00:01' },
];

test.each([
  ['nothing new', [], []],
  ['one that would come first', [`05-new.network Name=eth0`], [`05-new.network eth0`]],
  ['one that would come later', [`30-new.network Name=eth0`], []],
  ['one for a NIC that it leaves alone', [`30-b.network Name=eth1`], [`30-b.network eth1`]],
  ['… by its address', [`30-b.network MACAddress=52:54:00:00:00:01`], [`30-b.network eth1`]],
  ['one for a NIC that is not here', [`05-new.network Name=eth7`], []],
  ['one of which only networkd knows', [`05-new.network Driver=igb`], []],
  [
    'one that takes links away',
    [`05-new.network Name=*\n[Link]\nUnmanaged=yes`],
    ['05-new.network br0', '05-new.network eth0'],
  ],
])('files that networkd has not read: %s', (_what, more, expected) => {
  const added = more.map((one) => {
    const [name = '', ...match] = one.split(' ');
    return { path: `${DIR}/${name}`, content: `[Match]\n${match.join(' ')}\n` };
  });
  const files = [LAN, OWN, NOW, BOOT, ...added].toSorted((a, b) =>
    a.path.replace(/.*\//, '') < b.path.replace(/.*\//, '') ? -1 : 1,
  );
  const found = pendingFiles(files, LINKS).map(({ path, link }) => `${path.slice(DIR.length + 1)} ${link}`);
  expect(found).toEqual(expected);
});

test('that of the next boot, which takes the place of one of an earlier version, is one', () => {
  const links = [{ link: 'br0', isBridge: true, file: OLD.path }];
  expect(pendingFiles([BOOT], links)).toEqual([{ path: BOOT.path, link: 'br0' }]);
});
