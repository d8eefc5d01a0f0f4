import { expect, test } from 'vitest';
import { planBind } from '../../../../src/plan/vfio/bind.ts';
import type { IommuGroup, PciFunction, VfioFacts } from '../../../../src/plan/vfio/facts.ts';

const ALICE = { uid: 1000, gid: 1000 };
const one = (more: Partial<PciFunction>): PciFunction =>
  ({ address: '0000:01:00.0', group: 14, vfio: false, driver: 'igb', ...more }) as PciFunction;

function titles(
  functions: readonly PciFunction[],
  node?: IommuGroup['node'],
  udev: boolean = false,
): readonly string[] {
  const groups = [
    { id: 14, members: functions.map(({ address }) => address), direct: [], ...(node ? { node } : {}) },
  ];
  const facts = { functions, groups, modules: { pci: true, type1: true } } as unknown as VfioFacts;
  return planBind({ functions, facts, owner: ALICE, udev }).map(({ title }) => title);
}

test('the right to open the group comes last, after udev, which sets its own', () => {
  expect(titles([one({})], undefined, true)).toEqual([
    'give 0000:01:00.0 from igb to vfio-pci',
    'wait for udev, which sets rights of its own',
    'let user 1000 open group 14',
  ]);
});

test('what root prepared for this user needs no step at all, so no right', () => {
  const bound = one({ vfio: true, driver: 'vfio-pci' });
  expect(titles([bound], { uid: 1000, gid: 1000, mode: 0o600 }, true)).toEqual([]);
  expect(titles([bound], { uid: 0, gid: 0, mode: 0o600 })).toEqual(['let user 1000 open group 14']);
});
