// Runs inside the lab: the files of /run/lab/jobs.json, each result into the share as soon as it is there. lab files
// have the machine itself and take turns in one vitest; netns and vm files run in a sandbox, two at a time.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { supported } from './needs.mjs';
import { runVitest } from './vitest.mjs';

const sandbox = new URL('sandbox', import.meta.url).pathname;
const share = '/run/lab';
const { jobs, show } = JSON.parse(readFileSync(`${share}/jobs.json`, 'utf8'));
/** Of a file that was not run to its end. */
const NOTHING = { passed: 0, failed: 1, skipped: [] };
console.log('LAB-UP');

await together(jobs.filter((job) => job.project === 'lab'));
const apart = jobs.filter((job) => job.project !== 'lab');
// Asked only now, for a lab file may have taken out a module that trying a feature loads.
const kernel = kernelOf(apart);
await Promise.all([work(apart), work(apart)]);

function kernelOf(list) {
  return supported([...new Set(list.flatMap((job) => job.needs))]);
}

/** One vitest for all of them: each start of it takes ten seconds here. */
async function together(queue) {
  const here = kernelOf(queue);
  const able = queue.filter((job) => !isLacking(job, here));
  if (able.length === 0) return;
  const files = able.map(({ file }) => file);
  const deadlineMs = files.length * 600_000;
  const options = ['--no-file-parallelism'];
  const { byFile, output } = await runVitest({ project: 'lab', files, deadlineMs, options }, show);
  for (const { file } of able) {
    const result = byFile.find((one) => one.file === file) ?? { ...NOTHING, ms: 0 };
    tell(file, { ...result, output: result.failed > 0 ? output : '' });
  }
}

async function work(queue) {
  for (let job = queue.shift(); job !== undefined; job = queue.shift()) {
    if (isLacking(job, kernel)) continue;
    const since = Date.now();
    const { file, project } = job;
    const result = await runVitest({ project, files: [file], deadlineMs: 600_000, wrapper: [sandbox] }, show);
    tell(file, { ...result, ms: Date.now() - since });
  }
}

/** Such a file is told as failed. */
function isLacking({ file, needs }, here) {
  const missing = needs.filter((name) => !here.has(name));
  if (missing.length > 0)
    tell(file, { ...NOTHING, ms: 0, output: `even the lab's kernel has no ${missing.join(', ')}` });
  return missing.length > 0;
}

function tell(file, result) {
  const name = `result-${jobs.findIndex((job) => job.file === file)}.json`;
  writeFileSync(`${share}/${name}.new`, JSON.stringify({ ...result, file }));
  renameSync(`${share}/${name}.new`, `${share}/${name}`);
  console.log(`LAB-RESULT ${name}`);
}
