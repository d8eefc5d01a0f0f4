/** Bundles child.ts once, and runs it until it ends or is killed. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import type { ChildOrder } from './child.ts';
import type { Tree } from './tree.ts';

/** Gives a function: true when the child was killed, so there are more touches to come. */
export function childRunner<Order = Omit<ChildOrder, 'etc'>>(
  tree: Tree,
  program: URL = new URL('child.ts', import.meta.url),
): (order: Order) => boolean {
  const child = join(tree.root, 'child.mjs');
  buildSync({
    entryPoints: [program.pathname],
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile: child,
    logLevel: 'error',
  });
  writeFileSync(join(tree.etc, 'there.conf'), 'old\n', { mode: 0o640 });
  symlinkSync('there.conf', join(tree.etc, 'link.conf'));
  mkdirSync(join(tree.etc, 'there.d'));
  return (order) => {
    const { status, signal, stderr } = spawnSync(process.execPath, [child], {
      encoding: 'utf8',
      env: { ...process.env, ...tree.env, QLAUNCH_TEST_CHILD: JSON.stringify({ ...order, etc: tree.etc }) },
    });
    if (signal === 'SIGKILL') return true;
    if (status !== 0) throw new Error(`the child ended with ${status}: ${stderr}`);
    return false;
  };
}
