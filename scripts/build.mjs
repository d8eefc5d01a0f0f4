// Builds dist/: the three programs as CommonJS chunks (they start ~12-18 ms sooner than ES modules on Node 20,
// and code that a command does not need is not loaded), and the library as plain ES modules with types.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';

process.chdir(new URL('..', import.meta.url).pathname);
const { version } = JSON.parse(
  execFileSync('node', ['-p', 'JSON.stringify(require("./package.json"))'], { encoding: 'utf8' }),
);
const programs = ['qlaunch', 'qemu-ifup', 'qemu-ifdown'];
rmSync('dist', { recursive: true, force: true });

const common = { platform: 'node', target: 'node20.19', logLevel: 'warning', legalComments: 'none' };
// Pass 1: only ES modules can be split into chunks. Pass 2: each chunk becomes CommonJS.
await build({
  ...common,
  entryPoints: programs.map((name) => `src/cli/${name}.ts`),
  bundle: true,
  splitting: true,
  minifySyntax: true,
  minifyWhitespace: true,
  format: 'esm',
  outdir: 'dist/esm',
  chunkNames: 'chunk-[name]-[hash]',
  define: { QLAUNCH_VERSION: JSON.stringify(version) },
});
const chunks = readdirSync('dist/esm').map((name) => `dist/esm/${name}`);
await build({ ...common, entryPoints: chunks, format: 'cjs', outdir: 'dist/bin' });
rmSync('dist/esm', { recursive: true });
writeFileSync('dist/bin/package.json', '{"type":"commonjs"}\n');

// The front drops two variables before Node starts: NODE_EXTRA_CA_CERTS triples Node 20's start
// (nodejs/node#40524), and NODE_OPTIONS of a developer's shell has no business in a root tool.
for (const name of programs) {
  const front = [
    '#!/bin/sh',
    'self=$0',
    'while [ -L "$self" ]; do',
    '  link=$(readlink "$self")',
    '  case $link in /*) self=$link ;; *) self=${self%/*}/$link ;; esac',
    'done',
    'unset NODE_EXTRA_CA_CERTS NODE_OPTIONS',
    `exec node "\${self%/*}/${name}.js" "$@"`,
    '',
  ];
  writeFileSync(`dist/bin/${name}`, front.join('\n'));
  chmodSync(`dist/bin/${name}`, 0o755);
}

mkdirSync('dist/lib', { recursive: true });
await build({
  ...common,
  entryPoints: ['src/index.ts'],
  bundle: true,
  splitting: true,
  format: 'esm',
  outdir: 'dist/lib',
  packages: 'external',
  define: { QLAUNCH_VERSION: JSON.stringify(version) },
});
execFileSync('node_modules/.bin/tsc', ['-p', 'scripts/types.json'], { stdio: 'inherit' });
