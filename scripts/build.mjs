// Builds dist/: the three programs as CommonJS chunks (they start ~12-18 ms sooner than ES modules on Node 20,
// and code that a command does not need is not loaded), and the library as plain ES modules with types.
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';

process.chdir(new URL('..', import.meta.url).pathname);
const { version } = JSON.parse(
  execFileSync('node', ['-p', 'JSON.stringify(require("./package.json"))'], { encoding: 'utf8' }),
);
const programs = ['qlaunch', 'qemu-ifup', 'qemu-ifdown'];
// Built beside and renamed at the end: a build that fails leaves the last good one.
const out = 'dist.new';
rmSync(out, { recursive: true, force: true });

// Start-up: node:crypto takes 2 ms to load and most commands never hash, so it is loaded at its first call.
// Commander loads node:child_process (1 ms) for subcommands that are programs of their own; we have none.
const cheapBuiltins = {
  name: 'cheap-builtins',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:crypto$/ }, ({ path }) => ({ path, namespace: 'lazy' }));
    onLoad({ filter: /.*/, namespace: 'lazy' }, ({ path }) => {
      const names = ['createHash', 'randomBytes', 'randomUUID'];
      const call = (name) =>
        `export const ${name} = (...args) => process.getBuiltinModule('${path}').${name}(...args);`;
      return { contents: names.map(call).join('\n') };
    });
    onResolve({ filter: /^node:child_process$/ }, ({ importer, path }) =>
      importer.includes('/commander/') ? { path, namespace: 'empty' } : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'empty' }, () => ({ contents: 'module.exports = {}' }));
  },
};

const common = { platform: 'node', target: 'node20.19', logLevel: 'warning', legalComments: 'none' };
// Pass 1: only ES modules can be split into chunks. Pass 2: each chunk becomes CommonJS.
await build({
  ...common,
  entryPoints: programs.map((name) => `src/cli/${name}.ts`),
  bundle: true,
  splitting: true,
  minify: true,
  plugins: [cheapBuiltins],
  format: 'esm',
  outdir: `${out}/esm`,
  chunkNames: 'chunk-[name]-[hash]',
  define: { QLAUNCH_VERSION: JSON.stringify(version) },
});
const chunks = readdirSync(`${out}/esm`).map((name) => `${out}/esm/${name}`);
// As require() and not as import(): the latter would start Node's ES module loader, which takes 5 ms.
const asRequire = { 'dynamic-import': false };
await build({ ...common, entryPoints: chunks, format: 'cjs', outdir: `${out}/bin`, supported: asRequire });
rmSync(`${out}/esm`, { recursive: true });
writeFileSync(`${out}/bin/package.json`, '{"type":"commonjs"}\n');

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
  writeFileSync(`${out}/bin/${name}`, front.join('\n'));
  chmodSync(`${out}/bin/${name}`, 0o755);
}

mkdirSync(`${out}/lib`, { recursive: true });
await build({
  ...common,
  entryPoints: ['src/index.ts'],
  bundle: true,
  splitting: true,
  format: 'esm',
  outdir: `${out}/lib`,
  packages: 'external',
  define: { QLAUNCH_VERSION: JSON.stringify(version) },
});
execFileSync('node_modules/.bin/tsc', ['-p', 'scripts/types.json'], { stdio: 'inherit' });
// What `npm run build:standalone` made stays until it is made anew.
if (existsSync('dist/standalone')) renameSync('dist/standalone', `${out}/standalone`);
rmSync('dist', { recursive: true, force: true });
renameSync(out, 'dist');
