// Speed and memory, side by side in one run: every figure is a ratio of medians of interleaved runs, because
// milliseconds of one machine say nothing about another. `--json` for data, `--runs N`, `--standalone` to bench
// dist/standalone/qlaunch instead of dist/bin/qlaunch. As root also a NAT network against libvirt's (bench-nat.mjs).
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

process.chdir(new URL('..', import.meta.url).pathname);
// nodejs/node#40524: with it set, Node 20 takes three times as long to start and no ratio means anything.
delete process.env.NODE_EXTRA_CA_CERTS;
delete process.env.NODE_OPTIONS;

const argv = process.argv.slice(2);
const runs = Number(argv[argv.indexOf('--runs') + 1] || 0) || 15;
const standalone = argv.includes('--standalone');
const qlaunch = standalone ? 'dist/standalone/qlaunch' : 'dist/bin/qlaunch';
const image = execFileSync('scripts/guest', { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
  .trim()
  .split('\n')
  .at(-1);
const home = mkdtempSync(join(tmpdir(), 'qlaunch-bench-'));
const world = (name) => ({
  ...process.env,
  QLAUNCH_RUNTIME_DIR: join(home, name),
  QLAUNCH_STATE_DIR: join(home, 'state'),
  QLAUNCH_CONFIG_DIR: join(home, 'config'),
  QLAUNCH_CACHE_DIR: join(home, 'cache'),
});

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const took = async (work) => {
  const start = performance.now();
  await work();
  return performance.now() - start;
};
const command = (program, args, env) => async () => {
  const { status, stderr } = spawnSync(program, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: status ${status}\n${stderr}`);
};

/** Runs the candidates in turn, so that a drift of the machine meets all of them alike. */
async function interleave(candidates) {
  const times = Object.fromEntries(Object.keys(candidates).map((name) => [name, []]));
  for (let run = -2; run < runs; run += 1) {
    for (const [name, work] of Object.entries(candidates)) {
      const ms = await work();
      if (run >= 0) times[name].push(ms);
    }
  }
  return Object.fromEntries(Object.entries(times).map(([name, values]) => [name, median(values)]));
}

const timed = (work) => () => took(work);
const bare = timed(command('node', ['-e', '0'], process.env));

/** Resolves when QEMU has answered its first command: a client by hand connects, is greeted and negotiates. */
function answers(path, deadline = performance.now() + 20_000) {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    let said = '';
    socket.on('data', (chunk) => {
      if (said === '') socket.write('{"execute":"qmp_capabilities"}');
      said += chunk;
      if (!said.includes('"return"')) return;
      socket.destroy();
      resolve();
    });
    socket.once('error', async () => {
      if (performance.now() > deadline) return reject(new Error(`no QEMU on ${path}`));
      await sleep(1);
      resolve(answers(path, deadline));
    });
  });
}

const vmArgs = [image, '--snapshot', '--name', 'bench', '--accel', 'tcg', '-m', '128'];
async function start() {
  const env = world('start');
  const plan = JSON.parse(
    execFileSync(qlaunch, [...vmArgs, '-d', '--dry-run', '--json'], { env, encoding: 'utf8' }),
  );
  const line = plan.qemu.argv;
  const dir = plan.dir;
  const rawQemu = async () => {
    rmSync(dir, { recursive: true, force: true });
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    const begin = performance.now();
    const child = spawn(line[0], line.slice(1), { stdio: 'ignore', env });
    await answers(join(dir, 'command.sock'));
    const ms = performance.now() - begin;
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
    rmSync(dir, { recursive: true, force: true });
    return ms;
  };
  const ours = async () => {
    const ms = await took(command(qlaunch, [...vmArgs, '-d'], env));
    execFileSync(qlaunch, ['kill', 'bench'], { env, stdio: 'ignore' });
    return ms;
  };
  return interleave({ node: bare, qemu: rawQemu, qlaunch: ours });
}

/**
 * A world with `count` VMs that look alive, which is the dear case for `ps`: a record, a pid file, and a process that has
 * this pid file among its arguments.
 */
function crowd(name, count) {
  const env = world(name);
  const root = join(env.QLAUNCH_RUNTIME_DIR, 'vm', String(process.getuid()));
  mkdirSync(root, { recursive: true });
  const guests = Array.from({ length: count }, (_, n) => {
    const dir = join(root, `vm${n}`);
    mkdirSync(dir, { mode: 0o700 });
    const record = {
      v: 1,
      name: `vm${n}`,
      identity: `/vm${n}`,
      uid: process.getuid(),
      startedAt: new Date().toISOString(),
      detached: true,
    };
    const nic = { id: 'net0', mode: 'user', mac: '52:54:00:00:00:01', forwards: [] };
    const more = { argv: ['qemu'], socketDir: dir, serial: 'socket', disks: [], nics: [nic] };
    writeFileSync(join(dir, 'vm.json'), JSON.stringify({ ...record, ...more }));
    const file = join(dir, 'qemu.pid');
    const guest = spawn('sh', ['-c', 'read _', 'sh', '-pidfile', file], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    writeFileSync(file, `${guest.pid}\n`);
    return guest;
  });
  const end = () => {
    for (const guest of guests) guest.stdin.end();
  };
  return { env, end };
}

async function commands() {
  const empty = crowd('empty', 0);
  const full = crowd('full', 100);
  const result = await interleave({
    node: bare,
    '--help': timed(command(qlaunch, ['--help'], empty.env)),
    'ps, no VM': timed(command(qlaunch, ['ps'], empty.env)),
    'ps, 100 VMs': timed(command(qlaunch, ['ps'], full.env)),
    '--dry-run': timed(command(qlaunch, [...vmArgs, '--dry-run'], empty.env)),
  });
  full.end();
  return result;
}

/** KiB that only this process uses (proc(5), smaps_rollup). */
function privateKiB(pid) {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return [...text.matchAll(/^Private_(?:Clean|Dirty):\s+(\d+)/gm)].reduce(
    (sum, match) => sum + Number(match[1]),
    0,
  );
}

function memory() {
  const env = world('memory');
  execFileSync(qlaunch, [...vmArgs, '-d'], { env, stdio: 'ignore' });
  const [vm] = JSON.parse(execFileSync(qlaunch, ['ps', '--json'], { env, encoding: 'utf8' }));
  const waiter = Number(readFileSync(`/proc/${vm.pid}/stat`, 'utf8').split(') ')[1].split(' ')[1]);
  const kib = privateKiB(waiter);
  execFileSync(qlaunch, ['kill', 'bench'], { env, stdio: 'ignore' });
  return kib;
}

function networks() {
  if (process.getuid() !== 0) return [];
  const child = [
    'scripts/bench-nat.mjs',
    '--json',
    '--runs',
    `${runs}`,
    ...(standalone ? ['--standalone'] : []),
  ];
  const { status, stdout } = spawnSync(process.execPath, child, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status === 0) return JSON.parse(stdout).rows;
  console.error('bench: a NAT network could not be measured against libvirt’s');
  return [];
}

try {
  const a = await start();
  const b = await commands();
  const kib = memory();
  const ratio = (value) => Number(value.toFixed(2));
  const rows = [
    [
      'a',
      'qlaunch -d until QMP answers, beyond QEMU itself',
      ratio((a.qlaunch - a.qemu) / a.node),
      '× node -e 0',
      standalone ? '' : '≤ 1.6',
    ],
    [
      'a',
      'qlaunch -d / the same QEMU line by hand',
      ratio(a.qlaunch / a.qemu),
      '×',
      standalone ? '≤ 1.5' : '',
    ],
    ...['--help', 'ps, no VM', '--dry-run'].map((name) => [
      'b',
      `qlaunch ${name}`,
      ratio(b[name] / b.node),
      '× node -e 0',
      '≤ 1.5',
    ]),
    ['b', 'qlaunch ps, 100 VMs / no VM', ratio(b['ps, 100 VMs'] / b['ps, no VM']), '×', '≤ 1.3'],
    ['c', 'private memory per detached VM besides QEMU', ratio(kib / 1024), 'MiB', '≤ 2'],
    ...networks().map(({ what, value, aim }) => ['d', what, value, '×', standalone ? aim : '']),
  ];
  if (argv.includes('--json')) {
    console.log(
      JSON.stringify({
        runs,
        program: qlaunch,
        rows: rows.map(([part, what, value, unit, aim]) => ({ part, what, value, unit, aim })),
        medianMs: { start: a, commands: b },
      }),
    );
  } else {
    console.log(
      `medians of ${runs} interleaved runs; ${qlaunch}; node -e 0 took ${b.node.toFixed(0)} ms, QEMU ${a.qemu.toFixed(0)} ms\n`,
    );
    console.log('| | what | measured | aim |\n|---|---|---|---|');
    for (const [part, what, value, unit, aim] of rows)
      console.log(`| ${part} | ${what} | ${value} ${unit} | ${aim} |`);
  }
} finally {
  spawnSync(qlaunch, ['kill', 'bench'], { env: world('start'), stdio: 'ignore' });
  rmSync(home, { recursive: true, force: true });
}
