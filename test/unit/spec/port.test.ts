import { expect, test } from 'vitest';
import { parseAntispoof, parseRate, parseTrunk } from '../../../src/spec/port.ts';

test.each([
  ['100mbit', { toGuest: 1e8, fromGuest: 1e8 }],
  ['1.5gbit/640kbit', { toGuest: 1.5e9, fromGuest: 640e3 }],
  ['9000bit', { toGuest: 9000, fromGuest: 9000 }],
])('rate=%s', (text, rate) => {
  expect(parseRate(text, 'rate')).toEqual(rate);
});

test.each([
  '',
  '100',
  'mbit',
  '1mbit/',
  '1mbit/2mbit/3mbit',
  '-1mbit',
  '1e6bit',
  '10bit',
  '100gbit',
  '1mbps',
])('rate=%s is refused', (text) => {
  expect(parseRate(text, 'rate')).toMatchObject({ at: 'rate', hint: 'write 100mbit or 100mbit/50mbit' });
});

test('a trunk is a list of VLANs and ranges', () => {
  const ranges = [
    { from: 1, to: 1 },
    { from: 10, to: 20 },
  ];
  expect(parseTrunk('1+10-20', 'trunk')).toEqual(ranges);
  expect(parseTrunk('1,10-20', 'trunk')).toEqual(ranges);
  for (const text of ['', '0', '4095', '20-10', '1-2-3', '1++2', 'all'])
    expect(parseTrunk(text, 'trunk')).toMatchObject({ at: 'trunk' });
});

test('antispoof takes addresses of both families', () => {
  expect(parseAntispoof('on', 'antispoof')).toEqual([]);
  expect(parseAntispoof('off', 'antispoof')).toBeUndefined();
  expect(parseAntispoof('192.0.2.5+2001:db8::5', 'antispoof')).toEqual(['192.0.2.5', '2001:db8::5']);
  expect(parseAntispoof('192.0.2.5; drop', 'antispoof')).toMatchObject({ at: 'antispoof' });
});
