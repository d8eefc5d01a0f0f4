// The price of a tap's script inside a real QEMU start: from the first exec to the return of -daemonize, medians of
// interleaved runs, with one tap and with four. Ours against Debian's /etc/qemu-ifup and the bash script of a well-known
// howto (which sleeps half a second). Runs itself in a network namespace of its own. `--runs N`, `--json`.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = new URL('..', import.meta.url).pathname;
// nodejs/node#40524: with it set, Node 20 takes three times as long to start and no ratio means anything.
delete process.env.NODE_EXTRA_CA_CERTS;
delete process.env.NODE_OPTIONS;

if (process.env.QLAUNCH_TEST_SANDBOX === undefined) {
  const again = [join(root, 'scripts/tiers/sandbox'), 'node', ...process.argv.slice(1)];
  const { status } = spawnSync(again[0], again.slice(1), { stdio: 'inherit' });
  process.exit(status ?? 1);
}

const argv = process.argv.slice(2);
const runs = Number(argv[argv.indexOf('--runs') + 1] || 0) || 15;
const home = mkdtempSync(join(tmpdir(), 'qlaunch-bench-'));

function run(program, args, env = process.env) {
  const { status, stderr } = spawnSync(program, args, { env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: status ${status}\n${stderr}`);
}
const ip = (line) => run('ip', line.split(' '));

// As on a host whose bridge carries the default route, which is where Debian's script looks.
ip('link add name br0 address 02:00:00:00:00:01 type bridge');
ip('link set dev br0 up');
ip('address add 10.79.0.1/24 dev br0');
ip('route add default via 10.79.0.2 dev br0');

/** The howto's, with today's commands for ifconfig and brctl. */
const howto = join(home, 'howto-ifup');
const lines = ['#!/bin/bash', 'ip link set "$1" up', 'sleep 0.5s', 'ip link set "$1" master br0'];
writeFileSync(howto, `${lines.join('\n')}\n`, { mode: 0o755 });

const state = {
  ...process.env,
  QLAUNCH_RUNTIME_DIR: join(home, 'run'),
  QLAUNCH_STATE_DIR: join(home, 'state'),
};
const named = { ...state, QLAUNCH_BRIDGE: 'br0' };
const standalone = join(root, 'dist/standalone/qemu-ifup');
const candidates = {
  'no script': { script: 'no', env: state },
  'prepared tap, no script': { script: 'no', env: state, prepared: true },
  ...(existsSync('/etc/qemu-ifup')
    ? { "Debian's /etc/qemu-ifup": { script: '/etc/qemu-ifup', env: state } }
    : {}),
  'the howto': { script: howto, env: state },
  'ours, Node': { script: join(root, 'scripts/qemu-ifup'), env: state },
  'ours, Node, QLAUNCH_BRIDGE': { script: join(root, 'scripts/qemu-ifup'), env: named },
  ...(existsSync(standalone)
    ? {
        'ours, standalone': { script: standalone, env: state },
        'ours, standalone, QLAUNCH_BRIDGE': { script: standalone, env: named },
      }
    : {}),
};

function prepare(count) {
  for (let n = 0; n < count; n += 1) {
    ip(`tuntap add dev t${n} mode tap`);
    ip(`link set dev t${n} master br0 up`);
  }
}

/** ms from the start of QEMU until it has become a daemon. */
function start({ script, env, prepared }, count) {
  if (prepared) prepare(count);
  const pidFile = join(home, 'pid');
  const taps = Array.from({ length: count }, (_, n) => [
    ...['-netdev', `tap,id=n${n},ifname=t${n},script=${script},downscript=no`],
    ...['-device', `virtio-net-pci,netdev=n${n},romfile=`],
  ]).flat();
  const bare = [
    '-nodefaults',
    '-no-user-config',
    '-display',
    'none',
    '-M',
    'q35',
    '-accel',
    'tcg',
    '-m',
    '64',
    '-S',
  ];
  const begin = performance.now();
  run('qemu-system-x86_64', [...bare, ...taps, '-daemonize', '-pidfile', pidFile], env);
  const ms = performance.now() - begin;
  const pid = Number(readFileSync(pidFile, 'utf8'));
  process.kill(pid, 'SIGKILL');
  // A tap that nobody made persistent is gone when the last thread of QEMU is.
  for (let n = 0; n < count; n += 1) {
    if (prepared) ip(`link delete dev t${n}`);
    while (existsSync(`/sys/class/net/t${n}`));
  }
  // Each start as the first one, without records of killed ones to close.
  rmSync(join(home, 'run'), { recursive: true, force: true });
  return ms;
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

function bench(count) {
  const times = Object.fromEntries(Object.keys(candidates).map((name) => [name, []]));
  for (let n = -1; n < runs; n += 1)
    for (const [name, candidate] of Object.entries(candidates)) {
      const ms = start(candidate, count);
      if (n >= 0) times[name].push(ms);
    }
  return Object.fromEntries(
    Object.entries(times).map(([name, values]) => [name, Math.round(median(values))]),
  );
}

try {
  const result = { runs, 'one tap': bench(1), 'four taps': bench(4) };
  if (argv.includes('--json')) console.log(JSON.stringify(result));
  else {
    console.log(`whole QEMU start in ms, medians of ${runs}`);
    console.log(`${''.padEnd(34)} one tap  four taps`);
    for (const name of Object.keys(candidates)) {
      const [one, four] = [result['one tap'][name], result['four taps'][name]];
      console.log(`${name.padEnd(34)} ${String(one).padStart(7)} ${String(four).padStart(10)}`);
    }
  }
} finally {
  rmSync(home, { recursive: true, force: true });
}
