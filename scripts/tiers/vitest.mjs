// Runs vitest once and counts what it did. One failed file that never got as far as a test counts as one failure.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';

const root = new URL('../..', import.meta.url).pathname;
const vitest = join(root, 'node_modules/vitest/vitest.mjs');

/**
 * @param job { project, files, deadlineMs, wrapper: argv put before node (the sandbox), env, options: more of vitest's }
 * Gives the sum as { passed, failed, skipped, output }, and as byFile the same of each with { file, ms }.
 * @param show true: vitest talks to the terminal itself
 */
export async function runVitest({ project, files, deadlineMs, wrapper = [], env = {}, options = [] }, show) {
  // Not in /tmp: the sandbox has one of its own.
  mkdirSync(join(root, '.cache'), { recursive: true });
  const dir = mkdtempSync(join(root, '.cache', 'report-'));
  const report = join(dir, 'report.json');
  const argv = [
    ...wrapper,
    process.execPath,
    vitest,
    'run',
    '--config=test/vitest.config.ts',
    `--project=${project}`,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...options,
    ...files,
  ];
  const { output, late } = await run(argv, { ...process.env, ...env }, deadlineMs, show);
  const result = count(report);
  if (late) result.failed += 1;
  rmSync(dir, { recursive: true, force: true });
  return { ...result, output: late ? `${output}\nstopped after ${deadlineMs / 1000} s\n` : output };
}

async function run([command, ...args], env, deadlineMs, show) {
  const child = spawn(command, args, {
    cwd: root,
    env,
    stdio: ['ignore', show ? 'inherit' : 'pipe', show ? 'inherit' : 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += chunk));
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGKILL'), 5_000).unref();
  }, deadlineMs);
  await new Promise((resolve) => {
    child.on('close', resolve);
    child.on('error', (error) => {
      output += error.message;
      resolve();
    });
  });
  clearTimeout(timer);
  return { output, late };
}

/** Counts a vitest JSON report (the format of Jest's --json). */
function count(report) {
  let parsed;
  try {
    parsed = JSON.parse(readFileSync(report, 'utf8'));
  } catch {
    return { passed: 0, failed: 1, skipped: [], byFile: [] };
  }
  const byFile = parsed.testResults.map(countFile);
  const sum = (key) => byFile.reduce((all, file) => all + file[key], 0);
  return {
    passed: sum('passed'),
    failed: sum('failed'),
    skipped: byFile.flatMap(({ skipped }) => skipped),
    byFile,
  };
}

function countFile({ name, status, assertionResults, startTime, endTime }) {
  const failed = assertionResults.filter((test) => test.status === 'failed').length;
  return {
    file: relative(root, name),
    ms: endTime - startTime,
    passed: assertionResults.filter((test) => test.status === 'passed').length,
    failed: status === 'failed' && failed === 0 ? 1 : failed,
    skipped: assertionResults
      .filter((test) => test.status !== 'passed' && test.status !== 'failed')
      .map((test) => test.fullName),
  };
}
