import { expect, test } from 'vitest';
import { type Claim, chooseBackEnd } from '../../../../../src/plan/bridge/persist/choose.ts';

const claim = (backEnd: Claim['backEnd'], live: boolean): Claim => ({
  backEnd,
  live,
  why: `it is ${backEnd}`,
});

test('who has the NIC now, before who would have it at boot', () => {
  expect(chooseBackEnd('br0', 'eth0', [claim('ifupdown', false)])).toBe('ifupdown');
  expect(chooseBackEnd('br0', 'eth0', [claim('ifupdown', false), claim('networkd', true)])).toBe('networkd');
});

test('two of them, or none: it is said whose, and how to choose', () => {
  expect(() => chooseBackEnd('br0', 'eth0', [claim('ifupdown', false), claim('networkd', false)])).toThrow(
    expect.objectContaining({
      code: 'QL_PERSIST',
      why: [expect.stringContaining('more than one'), 'it is ifupdown', 'it is networkd'],
      todo: ['the same command with --persist=ifupdown', 'the same command with --persist=networkd'],
    }),
  );
  expect(() => chooseBackEnd('br0', 'eth0', [])).toThrow(
    expect.objectContaining({
      todo: expect.arrayContaining([expect.stringContaining('--persist=none')]) as unknown,
    }),
  );
});
