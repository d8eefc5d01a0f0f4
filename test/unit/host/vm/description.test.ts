import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { type Description, describe } from '../../../../src/host/vm/description.ts';
import type { Identity } from '../../../../src/host/vm/user.ts';

/** We are root and work for somebody who may see less. */
const who: Identity = {
  user: { uid: 65_534, gid: 65_534, name: 'nobody', home: '/' },
  dropTo: true,
  root: true,
};

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'description-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  chmodSync(dir, 0o755);
  mkdirSync(join(dir, 'closed'), { mode: 0o700 });
  writeFileSync(join(dir, 'closed/vm.qcow2'), '');
  writeFileSync(join(dir, 'web.ini'), '[vm]\n', { mode: 0o644 });
  writeFileSync(join(dir, 'mine.ini'), '', { mode: 0o600 });
});

const named = (name: string): Description =>
  describe(name, who, { QLAUNCH_CONFIG_DIR: join(dir, 'config') }, dir);

test('an image that cannot be reached is still that image', () => {
  expect(named('closed/vm.qcow2')).toEqual({ image: 'closed/vm.qcow2' });
  expect(named('closed/none.qcow2')).toEqual({ image: 'closed/none.qcow2' });
  expect(named('web')).toMatchObject({ profile: { path: join(dir, 'web.ini') } });
});

test('a profile that cannot be read says so, and how to look', () => {
  for (const name of ['mine', 'mine.ini'])
    expect(() => named(name)).toThrow(
      expect.objectContaining({ code: 'QL_PROFILE_UNREADABLE', todo: [`namei -l ${join(dir, 'mine.ini')}`] }),
    );
});
