// Builds dist/: the three programs as CommonJS chunks (they start ~12-18 ms sooner than ES modules on Node 20,
// and code that a command does not need is not loaded), and the library as plain ES modules with types.
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
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
async function split(names, chunk) {
  const { metafile } = await build({
    ...common,
    entryPoints: names.map((name) => `src/cli/${name}.ts`),
    bundle: true,
    splitting: true,
    minify: true,
    metafile: true,
    plugins: [cheapBuiltins],
    format: 'esm',
    outdir: `${out}/esm`,
    chunkNames: `${chunk}-[name]-[hash]`,
    define: { QLAUNCH_VERSION: JSON.stringify(version) },
  });
  return metafile.outputs;
}
// As require() and not as import(): the latter would start Node's ES module loader, which takes 5 ms.
const cjs = { ...common, minify: true, format: 'cjs', supported: { 'dynamic-import': false } };
await build({ ...cjs, entryPoints: Object.keys(await split(['qlaunch'], 'chunk')), outdir: `${out}/bin` });
for (const name of programs.slice(1)) await buildHook(name);

/**
 * QEMU waits for a hook, so all that it needs as a rule is one file. What it seldom needs are others, and those find
 * what they share with it (its classes must not be there twice) in that file.
 */
async function buildHook(name) {
  const outputs = await split([name], name);
  const own = `${out}/esm/${name}.js`;
  const always = new Set([own]);
  for (const path of always)
    for (const { path: next, kind, external } of outputs[path].imports)
      if (kind === 'import-statement' && !external) always.add(next);
  const shared = [...always].filter((path) => path !== own).map((path) => basename(path));
  const ownNames = new Set([...shared, `${name}.js`, '<stdin>']);
  const link = {
    name: 'link',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^\.\/.*\.js$/ }, ({ path, kind, importer }) => {
        const inOwn = ownNames.has(basename(importer));
        if (kind === 'dynamic-import' || kind === 'require-call') return { path, external: true };
        if (inOwn || kind === 'entry-point') return undefined;
        return shared.includes(basename(path)) ? { path, namespace: 'own' } : { path, external: true };
      });
      onLoad({ filter: /.*/, namespace: 'own' }, ({ path }) => ({
        contents: `module.exports = require("./${name}.js").c${shared.indexOf(basename(path))}`,
        resolveDir: process.cwd(),
      }));
    },
  };
  const lines = [`import './${name}.js'`, ...shared.map((path, i) => `export * as c${i} from './${path}'`)];
  const stdin = {
    contents: lines.join(';'),
    resolveDir: `${process.cwd()}/${out}/esm`,
    sourcefile: '<stdin>',
  };
  const linked = { ...cjs, bundle: true, plugins: [link] };
  await build({ ...linked, stdin, outfile: `${out}/bin/${name}.js` });
  const seldom = Object.keys(outputs).filter((path) => !always.has(path));
  await build({ ...linked, entryPoints: seldom, outdir: `${out}/bin` });
}
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
