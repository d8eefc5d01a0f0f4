import { expect, test } from 'vitest';
import { runsFor } from '../../../../src/plan/nat/holder.ts';

const QEMU = '/usr/bin/qemu-system-x86_64';

const asked = (ids: string, exe = QEMU, mode = 0o100755): number | undefined =>
  runsFor({ status: `Name:\tx\nUid:\t${ids.replaceAll(' ', '\t')}\nGid:\t0\t0\t0\t0\n`, exe, mode });

test('a process is taken for a user’s only where nothing says otherwise', () => {
  expect(asked('1000 1000 1000 1000')).toBe(1000);
  expect(asked('0 0 0 0')).toBe(0);
  expect(asked('0 0 0 0', '/usr/libexec/qemu-kvm')).toBe(0);
  // `su root -- -netdev bridge,br=virbr0` at its question for the password.
  expect(asked('1000 0 0 0', '/usr/bin/su', 0o104755)).toBeUndefined();
  expect(asked('1000 1000 0 1000')).toBeUndefined();
  // sudo(8) at the same point, and what it was allowed to run.
  expect(asked('0 0 0 0', '/usr/bin/sudo', 0o104755)).toBeUndefined();
  expect(asked('0 0 0 0', '/usr/bin/less')).toBeUndefined();
  expect(asked('0 0 0 0', '/home/alice/qemu-system-x/less')).toBeUndefined();
  expect(asked('1000 1000 1000 1000', '/usr/bin/newgrp', 0o102755)).toBeUndefined();
  // It has just ended.
  expect(runsFor({ status: '', exe: '', mode: 0 })).toBeUndefined();
});
