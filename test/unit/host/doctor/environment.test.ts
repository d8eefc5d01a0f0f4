import { expect, test } from 'vitest';
import { environmentFindings } from '../../../../src/host/doctor/environment.ts';
import { judgeDriver } from '../../../../src/host/doctor/modules.ts';

test('what Node would meet is a warning; what the front has dropped is only said', () => {
  const found = environmentFindings(
    { env: { NODE_EXTRA_CA_CERTS: '/ca.pem' } },
    'A=b\0NODE_OPTIONS=--inspect\0',
  );
  expect(found).toMatchObject([
    { about: 'NODE_EXTRA_CA_CERTS', state: 'warning', cure: ['unset NODE_EXTRA_CA_CERTS'] },
    { about: 'NODE_OPTIONS', state: 'ok', fact: 'set in your shell, and dropped before qlaunch starts' },
  ]);
  expect(environmentFindings({ env: { NODE_OPTIONS: '' } }, '').map(({ state }) => state)).toEqual([
    'ok',
    'ok',
  ]);
});

test.each([
  ['CONFIG_TUN=y\n', false, false, 'built in'],
  ['CONFIG_TUN=m\n', true, true, 'loaded'],
  ['CONFIG_TUN=m\n', false, true, 'module'],
  ['CONFIG_TUN=m\n', false, false, 'module not installed'],
  ['# CONFIG_TUN is not set\nCONFIG_TUN_VNET=y\n', false, false, 'not in this kernel'],
  [undefined, true, false, 'loaded'],
  [undefined, false, true, 'module'],
  [undefined, false, false, 'unknown'],
])('tun by the configuration %j, loaded %s, loadable %s: %s', (config, loaded, loadable, state) => {
  expect(judgeDriver(config, 'TUN', { loaded, loadable })).toBe(state);
});
