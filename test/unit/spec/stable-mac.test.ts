import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseMac } from '../../../src/spec/mac.ts';
import { isProblem } from '../../../src/spec/raw.ts';
import { stableMac, stableMacs } from '../../../src/spec/stable-mac.ts';

const machineId = '0123456789abcdef0123456789abcdef';

/**
 * Published, and computed once more without our code:
 *   printf '%s\0%s\0%s\0%s\0%s\0%s' 'qlaunch mac 1' MACHINE UID IDENTITY NIC SALT | sha256sum
 * Another program may compute the same; a change here changes the MACs of everybody's guests.
 */
test.each([
  [{ machineId, uid: 1000, identity: '/home/u/vm.qcow2', nicId: 'net0', salt: 0 }, '52:54:00:c4:20:84'],
  [{ machineId, uid: 1000, identity: '/home/u/vm.qcow2', nicId: 'net1', salt: 0 }, '52:54:00:8b:5a:88'],
  [{ machineId, uid: 1000, identity: '/home/u/vm.qcow2', nicId: 'net0', salt: 1 }, '52:54:00:8b:77:13'],
  [{ machineId, uid: 0, identity: 'web', nicId: 'net0', salt: 0 }, '52:54:00:6a:da:85'],
])('test vector %j', (seed, mac) => expect(stableMac(seed)).toBe(mac));

const seed = { machineId, uid: 1000, identity: '/home/u/vm.qcow2' };

test('written MACs stay, and no two NICs of a VM share one', () => {
  const first = stableMac({ ...seed, nicId: 'net0', salt: 0 });
  // net1 was given, by hand, the address that net0 would get.
  const macs = stableMacs([{ id: 'net0' }, { id: 'net1', mac: first }], seed);
  expect(macs.get('net1')).toBe(first);
  expect(macs.get('net0')).toBe(stableMac({ ...seed, nicId: 'net0', salt: 1 }));
});

test('the address of another VM is passed over, the same way every time', () => {
  const taken = new Set([0, 1].map((salt) => stableMac({ ...seed, nicId: 'net0', salt })));
  expect(stableMacs([{ id: 'net0' }], seed, taken).get('net0')).toBe(
    stableMac({ ...seed, nicId: 'net0', salt: 2 }),
  );
});

test('always a valid unicast MAC, and different NICs differ', () => {
  const text = fc.string({ unit: 'binary', maxLength: 40 });
  fc.assert(
    fc.property(
      text,
      fc.nat(),
      text,
      fc.uniqueArray(fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/), { maxLength: 20 }),
      (id, uid, identity, ids) => {
        const macs = [
          ...stableMacs(
            ids.map((nic) => ({ id: nic })),
            { machineId: id, uid, identity },
          ).values(),
        ];
        return new Set(macs).size === ids.length && !macs.some((mac) => isProblem(parseMac(mac, 'here')));
      },
    ),
  );
});
