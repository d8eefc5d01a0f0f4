import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { programs } from '../tiers/cli.ts';
import { scratchDir } from '../tiers/guest.ts';

test.each(programs)('where root may not write, root is not told to be root ($label)', ({ path }) => {
  const dir = scratchDir();
  const etc = join(dir, 'prefix/etc');
  mkdirSync(etc, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro', 'none', etc]);
  onTestFinished(() => void execFileSync('umount', [etc]));
  const env = {
    ...process.env,
    QLAUNCH_RUNTIME_DIR: join(dir, 'run'),
    QLAUNCH_STATE_DIR: join(dir, 'state'),
  };
  const run = (...args: string[]): { status: number | null; stderr: string } =>
    spawnSync(path, args, { env, encoding: 'utf8' });
  for (const args of [
    ['acl', 'allow', 'br0', '--file', join(etc, 'bridge.conf')],
    ['install-hooks', '--prefix', join(dir, 'prefix')],
  ]) {
    const refused = run(...args);
    expect(refused).toMatchObject({ status: 4, stderr: expect.stringContaining('QL_READ_ONLY') });
    expect(refused.stderr).not.toContain('sudo');
  }
  // Nothing was made, so nothing is left over.
  const init = run('acl', 'init', '--file', join(etc, 'qemu/bridge.conf'));
  expect(init).toMatchObject({ status: 4, stderr: expect.stringContaining('EROFS') });
  expect(run('changes')).toMatchObject({ status: 0 });
});
