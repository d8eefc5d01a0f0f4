/** A qlaunch that lies where sudo does not look (secure_path) says so where it tells what to type. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chownSync, cpSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { programs } from '../tiers/cli.ts';
import { scratchDir } from '../tiers/guest.ts';

test.each(programs)('the cure names the program that ran, which is there ($label)', ({ path }) => {
  const dir = scratchDir();
  chownSync(dir, 65_534, 65_534);
  mkdirSync(join(dir, 'bin'));
  cpSync(dirname(path), join(dir, 'bin'), { recursive: true });
  const program = join(dir, 'bin/qlaunch');
  const asNobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--', program];
  const env = { PATH: process.env['PATH'], HOME: dir, NO_COLOR: '1' };
  for (const args of [['tap', 'add', 'x'], ['acl', 'allow', 'br0'], ['install-hooks']]) {
    const { status, stderr } = spawnSync(asNobody[0] ?? '', [...asNobody.slice(1), ...args], {
      env,
      encoding: 'utf8',
    });
    const [, named = 'false'] = /try: {5}sudo (\S+) /.exec(stderr) ?? [];
    expect({ status, stderr, named }).toEqual({ status: 3, stderr, named: program });
    execFileSync(named, ['--version']);
  }
  // Root's journals are root's to read: what a user does not see may be there all the same.
  const changes = spawnSync(asNobody[0] ?? '', [...asNobody.slice(1), 'changes'], { env, encoding: 'utf8' });
  expect(changes.stderr).toBe(`no change of yours is open; those of root: sudo ${program} changes\n`);
});
