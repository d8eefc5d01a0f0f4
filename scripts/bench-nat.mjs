// A NAT network of ours against the same definition in libvirt, each on a host of its own (namespaces), side by side:
// start and stop against virsh with its daemon already running, and what a machine on it downloads from behind a router.
// That machine is a VM, and once more a network namespace: there no emulated CPU hides the difference. Needs root and
// Debian's packages.
// `--runs N`, `--json`, `--standalone` for dist/standalone/qlaunch instead of dist/bin/qlaunch.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';

const root = new URL('..', import.meta.url).pathname;
// nodejs/node#40524: with it set, Node 20 takes three times as long to start and no ratio means anything.
delete process.env.NODE_EXTRA_CA_CERTS;
delete process.env.NODE_OPTIONS;

if (process.env.QLAUNCH_TEST_SANDBOX === undefined) {
  const tree = execFileSync(join(root, 'scripts/libvirt'), { encoding: 'utf8' }).trim().split('\n').at(-1);
  const again = [join(root, 'scripts/tiers/sandbox'), process.execPath, ...process.argv.slice(1)];
  const image = execFileSync(join(root, 'scripts/guest'), { encoding: 'utf8' }).trim().split('\n').at(-1);
  const env = { ...process.env, QLAUNCH_BENCH_LIBVIRT: tree, QLAUNCH_BENCH_GUEST: image };
  const { status } = spawnSync(again[0], again.slice(1), { stdio: 'inherit', env });
  process.exit(status ?? 1);
}

const argv = process.argv.slice(2);
const runs = Number(argv[argv.indexOf('--runs') + 1] || 0) || 15;
const qlaunch = join(root, argv.includes('--standalone') ? 'dist/standalone/qlaunch' : 'dist/bin/qlaunch');
const MIB = 1024 * 1024;
/** By port. */
const BYTES = { namespace: [80, 512 * MIB], vm: [81, 32 * MIB] };

const XML = `<network><name>bench</name><forward mode='nat'/><bridge name='bench0' stp='off'/>
  <ip address='192.168.150.1' netmask='255.255.255.0'>
    <dhcp><range start='192.168.150.2' end='192.168.150.254'/></dhcp></ip></network>`;

/** `$1` a tree to lay over /usr, or nothing. */
const ENTER = `
for dir in /run /var/lib /var/log /var/cache; do mount -t tmpfs tmpfs "$dir"; done
mkdir -p /run/netns /run/lock /var/lib/misc /var/log/libvirt
mount -t sysfs sysfs /sys
[ -z "$1" ] || mount -t overlay bench -o lowerdir="$1/usr:/usr" /usr
ip link set lo up
ip netns add router; ip netns add web
ip link add wan0 type veth peer name wan1 netns router
ip link add lan0 netns router type veth peer name eth0 netns web
ip address add 203.0.113.2/24 dev wan0
ip link set wan0 up
ip route add default via 203.0.113.1
ip -n router address add 203.0.113.1/24 dev wan1
ip -n router address add 198.51.100.1/24 dev lan0
ip -n router link set wan1 up
ip -n router link set lan0 up
ip -n web address add 198.51.100.9/24 dev eth0
ip -n web link set eth0 up
ip -n web route add default via 198.51.100.1
ip netns exec router sysctl -qw net.ipv4.ip_forward=1
echo ready
cat > /dev/null`;

const children = [];
async function start(command, args) {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
  if (child.exitCode !== null) throw new Error(`${command} has ended`);
  return child;
}

async function host(tree) {
  const { pid } = await start('unshare', [
    '--net',
    '--mount',
    '--propagation',
    'private',
    'sh',
    '-ec',
    ENTER,
    'host',
    tree,
  ]);
  const inside = ['--target', `${pid}`, '--net', '--mount', '--'];
  const run = (...words) => {
    const { status, stderr } = spawnSync('nsenter', [...inside, ...words], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`${words.join(' ')}: status ${status}\n${stderr}`);
  };
  const script = (text) => run('sh', '-ec', text);
  script(`printf '%s' "${XML}" > /run/bench.xml`);
  return { inside, run, script };
}

const SERVER = `
  const chunk = Buffer.alloc(1 << 20);
  require('node:net').createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    let left = Number(process.argv[2]);
    const more = () => {
      while (left > 0) { left -= chunk.length; if (!socket.write(chunk)) return; }
      socket.end();
    };
    socket.on('drain', more);
    more();
  }).listen(Number(process.argv[1]), () => console.log('ready'));
`;
/** Prints the milliseconds from its connection to the last byte. */
const CLIENT = `
  const socket = require('node:net').connect(80, '198.51.100.9');
  let begin, got = 0;
  socket.on('connect', () => { begin = performance.now(); });
  socket.on('data', (chunk) => { got += chunk.length; });
  socket.on('end', () => console.log(performance.now() - begin, got));
`;

/** ms for all of it, by a machine on the network. */
function download({ inside }) {
  const words = ['ip', 'netns', 'exec', 'guest', process.execPath, '-e', CLIENT];
  const [ms, got] = execFileSync('nsenter', [...inside, ...words], { encoding: 'utf8' })
    .split(' ')
    .map(Number);
  if (got !== BYTES.namespace[1]) throw new Error(`${got} bytes came`);
  return ms;
}

/** The tests' guest, with its shell on our end of the serial line. */
async function boot({ inside }) {
  const dir = dirname(process.env.QLAUNCH_BENCH_GUEST);
  const words = [
    'qemu-system-x86_64',
    '-machine',
    'q35,accel=tcg',
    '-cpu',
    'max',
    '-m',
    '256',
    '-display',
    'none',
  ];
  words.push('-kernel', `${dir}/vmlinuz`, '-initrd', `${dir}/initrd`, '-append', 'console=ttyS0 quiet');
  words.push('-nodefaults', '-serial', 'stdio', '-device', 'virtio-net-pci,netdev=n0');
  words.push('-netdev', 'tap,id=n0,ifname=tap0,script=no,downscript=no');
  const child = spawn('nsenter', [...inside, ...words], { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  let said = '';
  child.stdout.on('data', (chunk) => (said += chunk));
  /** What is said from now on, up to this. */
  const until = async (pattern) => {
    for (;;) {
      const found = pattern.exec(said);
      if (found !== null) {
        said = said.slice(found.index + found[0].length);
        return found;
      }
      if (child.exitCode !== null) throw new Error(`the guest has ended: ${said}`);
      await once(child.stdout, 'data');
    }
  };
  await until(/QLAUNCH-GUEST ready/);
  return async () => {
    const [port, bytes] = BYTES.vm;
    const begin = performance.now();
    child.stdin.write(`echo got=$(nc 198.51.100.9 ${port} < /dev/null | wc -c)\n`);
    const [, got] = await until(/^got=(\d+)\r?\n/m);
    if (Number(got) !== bytes) throw new Error(`${got} bytes came`);
    return performance.now() - begin;
  };
}

const PLUG = `
ip netns add guest
ip link add guest0 type veth peer name eth0 netns guest
ip link set guest0 master bench0 up
ip tuntap add tap0 mode tap
ip link set tap0 master bench0 up
ip -n guest address add 192.168.150.200/24 dev eth0
ip -n guest link set eth0 up
ip -n guest route add default via 192.168.150.1`;

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/** In turn, so that a drift of the machine meets both alike. */
async function interleave(rounds, candidates) {
  const times = Object.fromEntries(Object.keys(candidates).map((name) => [name, []]));
  for (let round = -1; round < rounds; round += 1)
    for (const [name, work] of Object.entries(candidates)) {
      const ms = await work();
      if (round >= 0) times[name].push(ms);
    }
  return Object.fromEntries(Object.entries(times).map(([name, all]) => [name, Math.round(median(all))]));
}

const timed = (work) => {
  const begin = performance.now();
  work();
  return performance.now() - begin;
};

try {
  const theirs = await host(process.env.QLAUNCH_BENCH_LIBVIRT);
  const ours = await host('');
  theirs.script('libvirtd -d > /dev/null 2>&1');
  const virsh = (...words) => theirs.run('virsh', '-q', '-c', 'network:///system', ...words);
  const net = (...words) => ours.run(qlaunch, 'net', ...words);
  virsh('net-define', '/run/bench.xml');
  net('define', '/run/bench.xml');

  const up = { libvirt: [], qlaunch: [] };
  const both = await interleave(runs, {
    libvirt: () => {
      up.libvirt.push(timed(() => virsh('net-start', 'bench')));
      return up.libvirt.at(-1) + timed(() => virsh('net-destroy', 'bench'));
    },
    qlaunch: () => {
      up.qlaunch.push(timed(() => net('start', 'bench')));
      return up.qlaunch.at(-1) + timed(() => net('stop', 'bench'));
    },
  });

  virsh('net-start', 'bench');
  net('start', 'bench');
  for (const one of [theirs, ours]) {
    one.script(PLUG);
    for (const words of Object.values(BYTES).map((pair) => pair.map(String)))
      await start('nsenter', [
        ...one.inside,
        'ip',
        'netns',
        'exec',
        'web',
        process.execPath,
        '-e',
        SERVER,
        ...words,
      ]);
  }
  const fetched = await interleave(Math.max(5, Math.ceil(runs / 2)), {
    libvirt: () => download(theirs),
    qlaunch: () => download(ours),
  });
  const inVm = await interleave(Math.max(5, Math.ceil(runs / 2)), {
    libvirt: await boot(theirs),
    qlaunch: await boot(ours),
  });
  net('stop', 'bench', '--force');
  virsh('net-destroy', 'bench');

  const ratio = (value) => Number(value.toFixed(2));
  const rows = [
    {
      what: 'net start + net stop / virsh net-start + net-destroy',
      value: ratio(both.qlaunch / both.libvirt),
      aim: '≤ 1.0',
    },
    {
      what: 'download of a VM through the network / through libvirt’s',
      value: ratio(inVm.libvirt / inVm.qlaunch),
      aim: '≥ 0.95',
    },
    {
      what: 'the same of a network namespace',
      value: ratio(fetched.libvirt / fetched.qlaunch),
      aim: '≥ 0.95',
    },
  ];
  const medianMs = {
    start: { libvirt: Math.round(median(up.libvirt)), qlaunch: Math.round(median(up.qlaunch)) },
    startAndStop: both,
    downloadInVm: inVm,
    download: fetched,
  };
  if (argv.includes('--json')) console.log(JSON.stringify({ runs, program: qlaunch, rows, medianMs }));
  else {
    console.log(`\n${qlaunch}, medians of ${runs} interleaved runs: ${JSON.stringify(medianMs)} ms\n`);
    console.log('| what | measured | aim |\n|---|---|---|');
    for (const { what, value, aim } of rows) console.log(`| ${what} | ${value} × | ${aim} |`);
  }
} catch (error) {
  console.error(error);
  process.exitCode = 1;
}
for (const child of children) child.kill('SIGKILL');
// This is a sandbox of its own: who is left in it goes with it.
process.exit();
