import fc from 'fast-check';
import { expect, test } from 'vitest';
import { tapName } from '../../../../src/plan/tap/name.ts';
import { parseIfName } from '../../../../src/spec/ifname.ts';

const free = (): boolean => false;

test('the name of the VM is in it, and the user’s number is not', () => {
  expect(tapName('web', 0, free)).toBe('qt-web0');
  expect(tapName('1000/web', 1, free)).toBe('qt-web1');
});

test('a taken name becomes another one, the same every time', () => {
  const taken = (name: string): boolean => name === 'qt-web0';
  const other = tapName('1000/web', 0, taken);
  expect(other).toMatch(/^qt-web-[0-9a-f]{5}0$/);
  expect(tapName('1000/web', 0, taken)).toBe(other);
  expect(tapName('1001/web', 0, taken)).not.toBe(other);
});

test('whatever the VM is called, the kernel takes the name', () => {
  const vm = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/);
  fc.assert(
    fc.property(vm, fc.nat(99), fc.boolean(), (name, index, taken) => {
      const found = tapName(
        name,
        index,
        (one) => taken && one.startsWith('qt-') && !/-[0-9a-f]{5}\d+$/.test(one),
      );
      expect(parseIfName(found, 'it')).toBe(found);
    }),
  );
});
