import { expect, test } from 'vitest';
import { type Claim, chooseBackEnd, refuseOther } from '../../../../../src/plan/bridge/persist/choose.ts';

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

test('one that is asked for is refused where another one has the NIC now, not where it only might', () => {
  const both = [claim('ifupdown', false), claim('networkd', true)];
  expect(() => refuseOther('br0', 'eth0', 'ifupdown', both)).toThrow(
    expect.objectContaining({
      code: 'QL_PERSIST',
      why: ['another network manager has eth0 now: it is networkd'],
      todo: ['the same command with --persist=networkd', expect.stringContaining('take eth0 out')],
    }),
  );
  expect(() => refuseOther('br0', 'eth0', 'networkd', both)).not.toThrow();
  expect(() => refuseOther('br0', 'eth0', 'ifcfg', [claim('ifupdown', false)])).not.toThrow();
  expect(() =>
    chooseBackEnd('br0', 'eth0', [claim('networkmanager', true), claim('networkd', true)]),
  ).toThrow(expect.objectContaining({ todo: [expect.stringContaining('take eth0 out')] }));
});
