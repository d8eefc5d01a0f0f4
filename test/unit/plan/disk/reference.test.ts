import { expect, test } from 'vitest';
import { conflictingLocks } from '../../../../src/plan/disk/locks.ts';
import { mayFollow, readReference } from '../../../../src/plan/disk/reference.ts';

test.each([
  ['base.qcow2', { kind: 'file', path: '/vm/base.qcow2' }],
  ['../base.qcow2', { kind: 'file', path: '/base.qcow2' }],
  ['/a/b', { kind: 'file', path: '/a/b' }],
  ['./a:b', { kind: 'file', path: '/vm/a:b' }],
  ['file:a:b', { kind: 'file', path: '/vm/a:b' }],
  ['nbd://host/x', { kind: 'driver', text: 'nbd://host/x' }],
  ['json:{"driver":"raw"}', { kind: 'driver', text: 'json:{"driver":"raw"}' }],
])('%s is read as QEMU reads it', (name, reference) => {
  expect(readReference(name, '/vm')).toEqual(reference);
});

test.each([
  ['/vm/base.qcow2', '/vm', true],
  ['/vm/bases/a.qcow2', '/vm', true],
  ['/vmx/base.qcow2', '/vm', false],
  ['/etc/shadow', '/vm', false],
  ['/home/u/.ssh/id_ed25519', '/home/u', false],
  ['/base.qcow2', '/', true],
  ['/etc/shadow', '/', false],
  ['/srv/allowed.qcow2', '/vm', true],
])('%s from an image in %s: %s', (target, directory, allowed) => {
  expect(mayFollow(target, directory, ['/srv/allowed.qcow2'])).toBe(allowed);
});

/** As seen under QEMU 7.2: a writer on inode 10, a reader on inode 20, and others' locks. */
const PROC_LOCKS = `1: OFDLCK ADVISORY  READ -1 fe:00:10 203 203
2: OFDLCK ADVISORY  READ -1 fe:00:10 201 201
3: OFDLCK ADVISORY  READ -1 fe:00:10 103 103
4: OFDLCK ADVISORY  READ -1 fe:00:10 100 101
5: OFDLCK ADVISORY  READ -1 fe:00:20 201 201
6: OFDLCK ADVISORY  READ -1 fe:00:20 100 100
7: FLOCK  ADVISORY  WRITE 812 fe:00:30 0 EOF
8: POSIX  ADVISORY  WRITE 813 fe:00:40 101 101
9: OFDLCK ADVISORY  READ -1 fe:00:50 0 EOF
`;

test.each([
  [10, true, ['writes', 'forbids-writing']],
  [10, false, ['writes']],
  [20, true, ['forbids-writing']],
  [20, false, []],
  [30, true, []],
  [40, true, []],
  [50, false, ['writes']],
  [1, true, []],
])('inode %i, writing %s: %j', (inode, weWrite, held) => {
  expect(conflictingLocks(PROC_LOCKS, inode, weWrite).map((lock) => lock.held)).toEqual(held);
});
