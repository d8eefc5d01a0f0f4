// Runs inside the lab: the files of /run/lab/jobs.json, two at a time, each result into the share as soon as it is
// there. lab files have the machine itself; netns and vm files run in a sandbox as they do outside.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { supported } from './needs.mjs';
import { runVitest } from './vitest.mjs';

const sandbox = new URL('sandbox', import.meta.url).pathname;
const share = '/run/lab';
const { jobs, show } = JSON.parse(readFileSync(`${share}/jobs.json`, 'utf8'));
console.log('LAB-UP');

// lab files change the one machine they share, so they take turns; the others come two at a time after them.
const inTurn = jobs.filter((job) => job.project === 'lab');
const apart = jobs.filter((job) => job.project !== 'lab');
await work(inTurn, kernelOf(inTurn));
// Asked again, for a lab file may have taken out a module that trying a feature loads.
const kernel = kernelOf(apart);
await Promise.all([work(apart, kernel), work(apart, kernel)]);

function kernelOf(list) {
  return supported([...new Set(list.flatMap((job) => job.needs))]);
}

async function work(queue, here) {
  for (let job = queue.shift(); job !== undefined; job = queue.shift()) {
    const since = Date.now();
    const result = await run(job, here);
    const name = `result-${jobs.indexOf(job)}.json`;
    writeFileSync(
      `${share}/${name}.new`,
      JSON.stringify({ ...result, file: job.file, ms: Date.now() - since }),
    );
    renameSync(`${share}/${name}.new`, `${share}/${name}`);
    console.log(`LAB-RESULT ${name}`);
  }
}

async function run({ file, project, needs }, here) {
  const missing = needs.filter((name) => !here.has(name));
  if (missing.length > 0) {
    return {
      passed: 0,
      failed: 1,
      skipped: [],
      output: `even the lab's kernel has no ${missing.join(', ')}`,
    };
  }
  const wrapper = project === 'lab' ? [] : [sandbox];
  return runVitest({ project, files: [file], deadlineMs: 600_000, wrapper }, show);
}
