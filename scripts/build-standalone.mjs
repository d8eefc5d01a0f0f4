// One executable that is all three programs, told apart by the name it is called by. Its compiler is pinned by the
// lock file in scripts/standalone and installed there only when this build is asked for.
// build-standalone.mjs [DIR]: into DIR, dist/standalone unless said.
import { execFileSync } from 'node:child_process';
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync } from 'node:fs';

process.chdir(new URL('..', import.meta.url).pathname);
const home = 'scripts/standalone';
// The package `bun` is a launcher that an install script fills in; the program itself lies beside it.
const cpu = process.arch === 'arm64' ? 'linux-aarch64' : 'linux-x64';
const bun = `${home}/node_modules/@oven/bun-${cpu}/bin/bun`;
if (!existsSync(bun)) execFileSync('npm', ['ci', '--ignore-scripts'], { cwd: home, stdio: 'inherit' });

const dir = process.argv[2] ?? 'dist/standalone';
const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
rmSync(dir, { recursive: true, force: true });
mkdirSync(dir, { recursive: true });
const define = ['--define', `QLAUNCH_VERSION=${JSON.stringify(version)}`];
const outfile = ['--outfile', `${dir}/qlaunch`];
execFileSync(
  bun,
  ['build', '--compile', '--minify', '--bytecode', ...define, ...outfile, 'src/cli/standalone.ts'],
  {
    stdio: 'inherit',
  },
);
for (const name of ['qemu-ifup', 'qemu-ifdown']) linkSync(`${dir}/qlaunch`, `${dir}/${name}`);
