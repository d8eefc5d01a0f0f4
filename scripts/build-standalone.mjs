// One executable that is all three programs, told apart by the name it is called by. Its compiler is pinned by the
// lock file in scripts/standalone and installed there only when this build is asked for.
import { execFileSync } from 'node:child_process';
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync } from 'node:fs';

process.chdir(new URL('..', import.meta.url).pathname);
const home = 'scripts/standalone';
// The package `bun` is a launcher that an install script fills in; the program itself lies beside it.
const cpu = process.arch === 'arm64' ? 'linux-aarch64' : 'linux-x64';
const bun = `${home}/node_modules/@oven/bun-${cpu}/bin/bun`;
if (!existsSync(bun)) execFileSync('npm', ['ci', '--ignore-scripts'], { cwd: home, stdio: 'inherit' });

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
rmSync('dist/standalone', { recursive: true, force: true });
mkdirSync('dist/standalone', { recursive: true });
const define = ['--define', `QLAUNCH_VERSION=${JSON.stringify(version)}`];
const outfile = ['--outfile', 'dist/standalone/qlaunch'];
execFileSync(
  bun,
  ['build', '--compile', '--minify', '--bytecode', ...define, ...outfile, 'src/cli/standalone.ts'],
  {
    stdio: 'inherit',
  },
);
for (const name of ['qemu-ifup', 'qemu-ifdown'])
  linkSync('dist/standalone/qlaunch', `dist/standalone/${name}`);
