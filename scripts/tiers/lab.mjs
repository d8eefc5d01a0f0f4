// The lab tier: boots a nested machine with Debian's own kernel and this host's root, and has all lab files run in it.
// One boot per flavour of the machine; tests in the lab are the same vitest runs as outside (in-lab.mjs).
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { labCommand } from './lab-machine.mjs';
import { neededBy } from './needs.mjs';
import { runVitest } from './vitest.mjs';

const root = new URL('../..', import.meta.url).pathname;
const sandbox = new URL('sandbox', import.meta.url).pathname;
/** ms: the boot itself takes about 5 s; a vitest run about 12 s, one with a guest inside the lab two minutes. */
const DEADLINE_MS = { boot: 120_000, perFile: 600_000 };
/** On a busy machine the emulator may lose a wake-up while the kernel starts, which then crawls from stall to stall. */
const BOOTS = 3;

/**
 * Runs the files in the lab; gives one result per file. Two machines at a time, that with the most files first: one
 * alone keeps hardly more than one core busy. show: the output goes to the terminal as it comes.
 */
export async function runLab(files, { show, say, tell }) {
  const queue = [...groupBy(files, flavourOf)].sort((a, b) => weight(b) - weight(a));
  const results = [];
  const worker = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift())
      results.push(...(await (next[0] === 'systemd' ? runBeside : runIn)(...next, { show, say, tell })));
  };
  await Promise.all([worker(), worker()]);
  return results;
}

/** Three boots of Debian take as long as this many other files. */
const BESIDE_WEIGHT = 10;
const weight = ([flavour, files]) => files.length * (flavour === 'systemd' ? BESIDE_WEIGHT : 1);

/**
 * Files whose machine boots Debian, and is rebooted: their vitest runs outside of it, in a sandbox that is the other end
 * of its cables. They find what to boot in QLAUNCH_TEST_SYSTEMD: JSON of { kernel, initrd, disk, programs }.
 */
async function runBeside(_, files, { show, say, tell }) {
  say('making what the machine with systemd needs');
  // Apart from dist/standalone, which other tests would run as well once it is there.
  const programs = join(root, '.cache/standalone');
  execFileSync(process.execPath, [join(root, 'scripts/build-standalone.mjs'), programs]);
  const [kernel, initrd, disk] = execFileSync(join(root, 'scripts/systemd-machine'), { encoding: 'utf8' })
    .trim()
    .split('\n');
  const env = { QLAUNCH_TEST_SYSTEMD: JSON.stringify({ kernel, initrd, disk, programs }) };
  // One test goes on where the one before has left the machine.
  const options = ['--bail=1'];
  const results = [];
  for (const file of files) {
    const job = {
      project: 'lab',
      files: [file],
      deadlineMs: DEADLINE_MS.perFile * 2,
      wrapper: [sandbox],
      env,
      options,
    };
    const since = Date.now();
    const result = { ...(await runVitest(job, show)), file };
    tell(`${file} beside its machine (${((Date.now() - since) / 1000).toFixed(1)} s)`, result);
    results.push(result);
  }
  return results;
}

async function runIn(flavour, files, { show, say, tell }) {
  const [kernel, initrd, modules] = execFileSync(join(root, 'scripts/lab'), { encoding: 'utf8' })
    .trim()
    .split('\n');
  const share = mkdtempSync(join(tmpdir(), 'qlaunch-lab-'));
  writeFileSync(join(share, 'modules'), `${modules}\n`);
  writeFileSync(join(share, 'job'), jobScript());
  const jobs = files.map((file) => ({ file, project: file.split('/')[1], needs: neededBy(file) }));
  writeFileSync(join(share, 'jobs.json'), JSON.stringify({ jobs, show }));
  const command = labCommand(flavour, { kernel, initrd, share });
  const onResult = (result) => tell(`${result.file} in the lab (${(result.ms / 1000).toFixed(1)} s)`, result);
  let end = { isUp: false };
  for (let tries = BOOTS; tries > 0 && !end.isUp; tries -= 1) {
    say(`booting the lab (QEMU ${flavour}) for ${files.length} file${files.length === 1 ? '' : 's'}`);
    const since = Date.now();
    const onUp = () =>
      say(`the lab (QEMU ${flavour}) is up after ${((Date.now() - since) / 1000).toFixed(1)} s`);
    end = await boot(command, { share, show, onUp, onResult, runMs: files.length * DEADLINE_MS.perFile });
    if (!end.isUp)
      say(`the lab (QEMU ${flavour}) did not come up; its last words: ${end.log.at(-1) ?? 'none'}`);
  }
  rmSync(share, { recursive: true, force: true });

  const missing = files.filter((name) => !end.results.some((result) => result.file === name));
  const output = `the lab ended before this file did:\n${end.log.slice(-40).join('\n')}`;
  const lost = missing.map((file) => ({ file, passed: 0, failed: 1, skipped: [], output }));
  for (const result of lost) tell(`${result.file} in the lab`, result);
  return [...end.results, ...lost];
}

/** One life of the machine. Ended by force where it does not come up, or is not done with its files, in time. */
async function boot([binary, ...args], { share, show, onUp, onResult, runMs }) {
  const machine = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const stop = () => machine.kill('SIGKILL');
  process.on('exit', stop);
  let deadline = setTimeout(stop, DEADLINE_MS.boot);
  const end = { isUp: false, log: [], results: [] };
  const onLine = (text) => {
    const line = text.replaceAll('\r', '');
    end.log.push(line);
    if (line.startsWith('LAB-UP')) {
      end.isUp = true;
      clearTimeout(deadline);
      deadline = setTimeout(stop, runMs);
      onUp();
    } else if (line.startsWith('LAB-RESULT ')) {
      const result = JSON.parse(readFileSync(join(share, line.split(' ')[1]), 'utf8'));
      end.results.push(result);
      onResult(result);
    } else if (show) console.log(line);
  };
  createInterface({ input: machine.stdout }).on('line', onLine);
  createInterface({ input: machine.stderr }).on('line', onLine);
  await new Promise((resolve) => machine.on('close', resolve).on('error', resolve));
  clearTimeout(deadline);
  process.off('exit', stop);
  return end;
}

/** What process 1 of the lab does once it stands in the host's root. */
function jobScript() {
  const pass = Object.entries(process.env).filter(([name]) => /^(QLAUNCH_|PATH$|LANG$)/.test(name));
  const exports = pass.map(([name, value]) => `export ${name}='${value.replaceAll("'", `'\\''`)}'`);
  return [
    ...exports,
    'export PATH="$PATH:/usr/sbin:/sbin:/usr/bin:/bin" HOME=/root CI=true NO_COLOR=1 QLAUNCH_TEST_LAB=1',
    `cd '${root}'`,
    // What udev does on a real host: a driver for every device.
    "find /sys/devices -name modalias -exec cat {} + | sort -u | xargs -d '\\n' modprobe -abq",
    // Through cat, for nothing in the lab is to believe that it talks to a terminal.
    `'${process.execPath}' scripts/tiers/in-lab.mjs </dev/null 2>&1 | cat`,
    '/run/busybox poweroff -f',
    '',
  ].join('\n');
}

/** "// lab: 10.x" in a file's head asks for that machine, "// lab: systemd" for one that the file itself boots. */
function flavourOf(file) {
  return /^\/\/ lab: *(\S+)$/m.exec(readFileSync(file, 'utf8'))?.[1] ?? '7.2';
}

function groupBy(list, key) {
  const groups = new Map();
  for (const item of list) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return groups;
}
