// needs: bridge, tap
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { scratchDir } from '../../tiers/guest.ts';

const bin = new URL('../../../dist/bin', import.meta.url).pathname;
const files = readdirSync(bin).filter((name) => /^qemu-if(up|down).*\.js$/.test(name));

/** QEMU waits for it before the guest starts. */
const BUDGET_BYTES = 40_000;

test.each(['qemu-ifup.js', 'qemu-ifdown.js'])('%s alone does the usual job, and is small', (name) => {
  expect(statSync(join(bin, name)).size).toBeLessThanOrEqual(BUDGET_BYTES);
  const dir = scratchDir();
  mkdirSync(join(dir, 'bin'));
  writeFileSync(join(dir, 'bin/package.json'), '{"type":"commonjs"}');
  copyFileSync(join(bin, name), join(dir, 'bin', name));
  const env = {
    ...process.env,
    QLAUNCH_BRIDGE: 'br0',
    QLAUNCH_RUNTIME_DIR: join(dir, 'run'),
    QLAUNCH_STATE_DIR: join(dir, 'state'),
  };
  execFileSync('sh', ['-ec', 'ip link add name br0 type bridge; ip tuntap add dev tap1 mode tap']);
  try {
    if (name === 'qemu-ifdown.js') execFileSync('node', [join(bin, 'qemu-ifup.js'), 'tap1'], { env });
    execFileSync('node', [join(dir, 'bin', name), 'tap1'], { env });
    expect(readdirSync(join(dir, 'run/journal'))).toHaveLength(name === 'qemu-ifup.js' ? 1 : 0);
  } finally {
    execFileSync('sh', ['-ec', 'ip link delete dev tap1; ip link delete dev br0']);
  }
});

test('the hooks need Node’s own modules and nothing else', () => {
  expect(files.length).toBeGreaterThan(2);
  for (const file of files) {
    const code = readFileSync(join(bin, file), 'utf8');
    const needs = [...code.matchAll(/require\(["'`]([^"'`]+)["'`]\)/g)].map(([, name]) => name ?? '');
    const foreign = needs.filter((name) => !isBuiltin(name) && !/^\.\/qemu-if(up|down)/.test(name));
    expect({ file, foreign }).toEqual({ file, foreign: [] });
  }
});
