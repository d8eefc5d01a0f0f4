import { expect, test } from 'vitest';
import { knownPort, rememberPort } from '../../../../src/plan/nat/known-port.ts';

const WISH = {
  name: 'qt-web0',
  ...{ isolated: true, vlan: 7, trunk: [{ from: 20, to: 22 }], rate: { fromGuest: 1_000_000 } },
};
const step = rememberPort(
  { ...WISH, bridge: 'lab0', uid: 0, queues: 1 },
  'lab',
  '1000/web',
  '/run/net/qt-web0.port',
);
const text = 'content' in step.do ? step.do.content : '';

test('a port is read as it was written', () => {
  const { name: tap, ...settings } = WISH;
  expect(knownPort(text)).toEqual({ v: 1, network: 'lab', vm: '1000/web', tap, ...settings });
});

test.each([
  ['cut off', text.slice(0, 40)],
  ['empty', ''],
  ['no object', 'null'],
  ['of another version', text.replace('"v":1', '"v":2')],
  ['a VLAN that is no number', text.replace('"vlan":7', '"vlan":"7"')],
  ['a trunk of one end', text.replace('"to":22', '"too":22')],
  ['a rate of words', text.replace('1000000', '"much"')],
])('what is %s is no port, not half of one', (_, damaged) => {
  expect(damaged).not.toBe(text);
  expect(knownPort(damaged)).toBe(undefined);
});
