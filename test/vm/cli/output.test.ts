import { execa } from 'execa';
import { expect, test } from 'vitest';
import { programs, world } from '../../tiers/cli.ts';
import { guestCopy } from '../../tiers/guest.ts';

const PROGRAM = programs[0]?.path ?? '';

/** What ends at a full disk, seen from a shell. */
async function into(target: string, env: object, ...args: readonly string[]): Promise<object> {
  const script = `"$0" "$@" ${target}`;
  const ran = await execa('bash', ['-o', 'pipefail', '-c', script, PROGRAM, ...args], {
    env: { ...env },
    reject: false,
  });
  return { status: ran.exitCode, stderr: ran.stderr };
}

test('an output that cannot be written is one line and status 4; a closed pipe is silence', async () => {
  const w = world();
  const image = guestCopy(w.dir);
  for (const args of [
    ['--help'],
    ['help', 'run'],
    ['ps', '--json'],
    ['config', 'show', image],
    [image, '--dry-run', '--accel', 'tcg'],
  ]) {
    expect(await into('>/dev/full', w.env, ...args)).toEqual({
      status: 4,
      stderr: 'qlaunch: cannot write the output: ENOSPC: no space left on device, write [QL_OUTPUT]',
    });
    expect(await into('2>/dev/full >/dev/null', w.env, ...args)).toEqual({ status: 0, stderr: '' });
    expect(await into('| true', w.env, ...args)).toEqual({ status: 0, stderr: '' });
  }
});
