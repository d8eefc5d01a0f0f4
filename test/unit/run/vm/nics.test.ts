import { expect, test } from 'vitest';
import { chooseMacs, macOwner, mergeMacs } from '../../../../src/run/vm/nics.ts';
import { readSources } from '../../../../src/spec/sources.ts';
import { parseVmSpec } from '../../../../src/spec/vm.ts';

const owner = macOwner(1000, '/web.qcow2');
const chosen = { [owner]: { net0: '52:54:00:00:00:01' } };

test('what others wrote down since the choice stays', () => {
  const now = { '1000:/db.qcow2': { net0: '52:54:00:00:00:02' }, [owner]: { net1: '52:54:00:00:00:03' } };
  expect(mergeMacs(now, chosen, owner)).toEqual({
    '1000:/db.qcow2': { net0: '52:54:00:00:00:02' },
    [owner]: { net0: '52:54:00:00:00:01', net1: '52:54:00:00:00:03' },
  });
});

test('rows that the choice had seen and that are gone do not come back', () => {
  const seen = { ...chosen, '1000:/old.qcow2': { net0: '52:54:00:00:00:04' } };
  expect(mergeMacs({}, seen, owner)).toEqual(chosen);
});

test('a MAC that another VM has got meanwhile is refused', () => {
  const now = { '1001:/other.qcow2': { net0: '52:54:00:00:00:01' } };
  expect(() => mergeMacs(now, chosen, owner)).toThrow(
    expect.objectContaining({
      code: 'QL_MAC_TAKEN',
      exit: 3,
      why: ['/other.qcow2 was started at the same time'],
    }),
  );
});

test('the MAC of a running VM is not given twice, and the image keeps its own', () => {
  const spec = (net: string): ReturnType<typeof parseVmSpec> =>
    parseVmSpec(readSources({ image: '/web.qcow2', options: { net: [net] }, extra: [], cwd: '/' }), {
      home: '/',
    });
  const first = chooseMacs(spec('user'), 1000, {}, new Map());
  const mac = first.macs['net0'] ?? '';
  expect(first).toEqual({ macs: { net0: mac }, notes: [], record: { [owner]: { net0: mac } } });

  const second = chooseMacs(spec('user'), 1000, first.record ?? {}, new Map([[mac, 'first']]));
  const other = second.macs['net0'] ?? '';
  expect(other).not.toBe(mac);
  expect(second).toEqual({
    macs: { net0: other },
    notes: [
      `net0: the running VM "first" has ${mac}, so this one has ${other} (mac= gives it one of its own)`,
    ],
  });
  const third = chooseMacs(
    spec('user'),
    1000,
    {},
    new Map([
      [mac, 'first'],
      [other, 'second'],
    ]),
  );
  expect([mac, other]).not.toContain(third.macs['net0']);

  const given = chooseMacs(spec(`user,mac=${mac}`), 1000, {}, new Map([[mac, 'first']]));
  expect(given.macs).toEqual({ net0: mac });
  expect(given.notes).toEqual([expect.stringContaining('neither works: leave mac= out')]);
});
