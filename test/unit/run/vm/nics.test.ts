import { expect, test } from 'vitest';
import { macOwner, mergeMacs } from '../../../../src/run/vm/nics.ts';

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
