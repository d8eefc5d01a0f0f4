import { expect, test } from 'vitest';
import { createArgv, resizeArgv } from '../../../../src/plan/disk/argv.ts';
import { backingName } from '../../../../src/plan/disk/backing-name.ts';

test('qemu-img’s lines, one option per word', () => {
  const create = { qemuImg: 'qemu-img', file: '/vm/a,b.qcow2', format: 'qcow2' } as const;
  expect(createArgv({ ...create, sizeBytes: 8 * 1024 ** 3 }).join(' ')).toBe(
    'qemu-img create -q -f qcow2 /vm/a,b.qcow2 8589934592',
  );
  expect(createArgv({ ...create, backing: { name: 'base.img', format: 'raw' } }).join(' ')).toBe(
    'qemu-img create -q -f qcow2 -b base.img -F raw /vm/a,b.qcow2',
  );
  const resize = { qemuImg: 'qemu-img', file: '/vm/a', format: 'raw', sizeBytes: 1024 };
  expect(resizeArgv({ ...resize, shrink: true }).join(' ')).toBe(
    'qemu-img resize -q -f raw --shrink /vm/a 1024',
  );
});

test.each([
  ['/vm/base.qcow2', '/vm', 'base.qcow2'],
  ['/vm/bases/a.qcow2', '/vm', 'bases/a.qcow2'],
  ['/srv/base.qcow2', '/vm', '/srv/base.qcow2'],
  ['/vm/a:b', '/vm', './a:b'],
])('%s is named from %s as %s', (backing, directory, name) => {
  expect(backingName(backing, directory)).toBe(name);
});
