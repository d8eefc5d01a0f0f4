// node scripts/tiers/main.mjs [TIER…] [-- FILE…]: runs the tests of each tier and ends with "N passed, N failed".
// Started by scripts/test, which has installed and built what the tiers need.
import { readdirSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { runLab } from './lab.mjs';
import { KNOWN, neededBy, supported, unknownNeeds } from './needs.mjs';
import { runVitest } from './vitest.mjs';

const TIERS = ['unit', 'golden', 'netns', 'vm', 'lab'];
const sandbox = new URL('sandbox', import.meta.url).pathname;
process.chdir(new URL('../..', import.meta.url).pathname);

const { tiers, only } = parse(process.argv.slice(2));
const files = assign();
/** A single file's output goes to the terminal as it comes; that of several is shown when one failed. */
const show = Object.values(files).flat().length === 1;
const total = { passed: 0, failed: 0, skipped: [] };

/** Per tier: how its files are run. Each gives one result per run of vitest. */
const RUN = {
  unit: (list) => together('unit', list, 300_000),
  golden: (list) => together('golden', list, 120_000),
  // The kernel's grace periods, leases and addresses are waited for most of the time; a guest keeps most of a core busy.
  netns: (list) => sandboxed('netns', list, { atOnce: 4, deadlineMs: 600_000 }),
  vm: (list) => sandboxed('vm', list, { atOnce: 3, deadlineMs: 900_000 }),
  lab: (list) => runLab(list, { show, say, tell }),
};

for (const tier of TIERS) {
  if (files[tier].length === 0) continue;
  const since = Date.now();
  console.log(`\n== ${tier}: ${files[tier].length} file${files[tier].length === 1 ? '' : 's'}`);
  const sum = { passed: 0, failed: 0, skipped: [] };
  for (const result of await RUN[tier](files[tier])) add(sum, result);
  console.log(`== ${tier}: ${sum.passed} passed, ${sum.failed} failed in ${seconds(since)}`);
  add(total, sum);
}

console.log('');
for (const name of total.skipped) console.log(`skipped, which counts as a failure here: ${name}`);
if (total.passed + total.failed === 0) console.log('no test was run');
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed > 0 || total.skipped.length > 0 || total.passed === 0 ? 1 : 0;

function parse(argv) {
  const split = argv.includes('--') ? argv.indexOf('--') : argv.length;
  const names = argv.slice(0, split);
  const unknown = names.filter((name) => !TIERS.includes(name));
  if (unknown.length > 0) {
    console.error(`scripts/test: no tier ${unknown.join(', ')}; the tiers are ${TIERS.join(' ')}`);
    process.exit(2);
  }
  // Files are named from where scripts/test was called.
  const from = process.env.QLAUNCH_TEST_FROM ?? process.cwd();
  const paths = argv.slice(split + 1).map((file) => relative(process.cwd(), resolve(from, file)));
  return { tiers: names.length > 0 ? names : TIERS, only: paths };
}

/** Tier → its files. A netns or vm file whose needs this kernel does not meet goes to the lab; none is left out. */
function assign() {
  const found = Object.fromEntries(TIERS.map((tier) => [tier, tiers.includes(tier) ? filesOf(tier) : []]));
  const apart = [...found.netns, ...found.vm, ...found.lab];
  for (const file of apart.filter((name) => unknownNeeds(name).length > 0)) {
    console.error(`${file} needs ${unknownNeeds(file).join(', ')}; scripts/tiers/needs.mjs knows ${KNOWN}`);
    process.exit(2);
  }
  const here = supported([...new Set([...found.netns, ...found.vm].flatMap(neededBy))]);
  for (const tier of ['netns', 'vm']) {
    const missing = (file) => neededBy(file).filter((name) => !here.has(name));
    for (const file of found[tier].filter((name) => missing(name).length > 0)) {
      say(`${file} goes to the lab: this kernel has no ${missing(file).join(', ')}`);
      found.lab.push(file);
    }
    found[tier] = found[tier].filter((file) => missing(file).length === 0);
  }
  return found;
}

function filesOf(tier) {
  const all = readdirSync(`test/${tier}`, { recursive: true }).filter((name) => name.endsWith('.test.ts'));
  const paths = all.map((name) => `test/${tier}/${name}`).sort();
  return only.length === 0
    ? paths
    : paths.filter((path) => only.some((file) => path === file || path.startsWith(`${file}/`)));
}

/** One vitest for all files of the tier. */
async function together(project, list, deadlineMs) {
  const result = await runVitest({ project, files: list, deadlineMs }, show);
  tell(project, result);
  return [result];
}

/** One sandbox and one vitest per file, several at a time: what one file does no other can see. */
async function sandboxed(project, list, { atOnce, deadlineMs }) {
  const results = [];
  const queue = [...list];
  const worker = async () => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      const since = Date.now();
      const result = await runVitest({ project, files: [file], deadlineMs, wrapper: [sandbox] }, show);
      tell(`${file} (${seconds(since)})`, result);
      results.push(result);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return results;
}

function tell(what, { passed, failed, output }) {
  say(
    `${failed === 0 ? 'ok  ' : 'FAIL'} ${what}: ${passed} passed${failed === 0 ? '' : `, ${failed} failed`}`,
  );
  // Where vitest talked to the terminal itself, only what it could not say is left here.
  if (failed > 0 && output !== '') console.log(output);
}

function add(sum, { passed, failed, skipped }) {
  sum.passed += passed;
  sum.failed += failed;
  sum.skipped.push(...skipped);
}

function say(line) {
  console.log(`  ${line}`);
}

function seconds(since) {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`;
}
