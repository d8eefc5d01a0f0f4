// needs: tap
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { programs } from '../tiers/cli.ts';
import { scratchDir } from '../tiers/guest.ts';

test.each(programs)('a journal that was cut leaves nobody stranded ($label)', ({ path }) => {
  const dir = scratchDir();
  const env = {
    ...process.env,
    QLAUNCH_RUNTIME_DIR: join(dir, 'run'),
    QLAUNCH_STATE_DIR: join(dir, 'state'),
  };
  const run = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
    spawnSync(path, args, { env, encoding: 'utf8' });
  expect(run('tap', 'add', 'cut1')).toMatchObject({ status: 0 });
  const journals = join(dir, 'run/journal');
  const [name = ''] = readdirSync(journals).filter((file) => file.endsWith('.journal'));
  const lines = readFileSync(join(journals, name), 'utf8').split('\n');
  writeFileSync(join(journals, name), lines.map((line) => line.slice(0, 30)).join('\n'));

  const refused = run('tap', 'del', 'cut1');
  expect(refused).toMatchObject({ status: 3 });
  expect(refused.stderr).toContain('no change that can be read tells of it');
  const recovered = run('recover');
  expect(recovered).toMatchObject({ status: 6 });
  expect(run('doctor', 'left-overs', '--json').stdout).toContain('--forget');

  const [byHand = 'false'] = /ip link delete dev cut1/.exec(refused.stderr) ?? [];
  execFileSync('sh', ['-ec', byHand]);
  const [forget = 'false'] = /undo \w+ --forget/.exec(recovered.stderr) ?? [];
  expect(run(...forget.split(' '))).toMatchObject({ status: 0 });
  expect(run('changes')).toMatchObject({ status: 0, stderr: 'nothing on this host is changed by qlaunch\n' });
});
