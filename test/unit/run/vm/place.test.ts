import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FILES } from '../../../../src/plan/vm/waiter.ts';
import { choosePlace, type Place } from '../../../../src/run/vm/place.ts';
import { makeVm, runs, vmRoot } from './directory.ts';

const WEB = '/images/web.qcow2';

function choose(root: string, more: { name?: string; given?: boolean; identity?: string } = {}): Place {
  const wish = { name: 'web', given: false, identity: WEB, ...more };
  return choosePlace(wish, { root, socketRoot: join(root, 'short'), state: root });
}
const running = (why: string) =>
  expect.objectContaining({ code: 'QL_VM_RUNNING', exit: 3, message: expect.stringContaining(why) });

test('a free name, and that of a VM that has ended', () => {
  const root = vmRoot();
  const place = { name: 'web', dir: join(root, 'web'), socketDir: join(root, 'short/web') };
  expect(choose(root)).toEqual(place);
  writeFileSync(join(makeVm(root, 'web'), FILES.exit), '0\n');
  expect(choose(root)).toEqual(place);
  expect(choose(root, { given: true, identity: '/other.qcow2' })).toEqual(place);
});

test('the same image twice is refused, and so is a given name; another image gets the next free suffix', () => {
  const root = vmRoot();
  const { pid } = runs(makeVm(root, 'web'), 'qemu');
  expect(() => choose(root)).toThrow(running('"web" is running already'));
  expect(() => choose(root)).toThrow(
    expect.objectContaining({
      why: [`it was started at 2026-01-02T03:04:05.000Z as process ${pid}`],
      todo: expect.arrayContaining(['qlaunch stop web']),
    }),
  );
  const other = { identity: '/other/web.qcow2' };
  expect(() => choose(root, { ...other, given: true })).toThrow(running('"web" is running already'));
  expect(choose(root, other).name).toBe('web-2');
  runs(makeVm(root, 'web-2', { identity: '/third/web.qcow2' }), 'qemu');
  expect(choose(root, other).name).toBe('web-3');
  expect(() => choose(root, { identity: '/third/web.qcow2' })).toThrow(running('"web-2" is running already'));
});
