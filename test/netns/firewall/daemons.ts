/** Debian's own firewalld and ufw, unpacked and not installed, as they run on a host. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { scratchDir } from '../../tiers/guest.ts';
import { until } from '../../tiers/internet.ts';
import { SYSTEM_BUS } from '../../tiers/system-bus.ts';

const script = new URL('../../../scripts/firewalls', import.meta.url).pathname;
const TREE = execFileSync(script, { encoding: 'utf8' }).trim();
const PYTHON = `${TREE}/usr/bin/python3.11`;
const ENV: Readonly<Record<string, string>> = {
  LC_ALL: 'C',
  LD_LIBRARY_PATH: ['usr/lib', 'lib'].map((dir) => `${TREE}/${dir}/x86_64-linux-gnu`).join(':'),
  GI_TYPELIB_PATH: `${TREE}/usr/lib/x86_64-linux-gnu/girepository-1.0`,
};

function setEnv(name: string, value: string): void {
  const before = process.env[name];
  process.env[name] = value;
  onTestFinished(() => {
    if (before === undefined) delete process.env[name];
    else process.env[name] = before;
  });
}

/** Programs that are found first from now on, as lines for sh; each is followed by what it is told. */
function install(programs: Readonly<Record<string, string>>): void {
  const bin = scratchDir();
  const env = Object.entries(ENV).map(([key, value]) => `${key}=${value}`);
  for (const [name, line] of Object.entries(programs)) {
    writeFileSync(join(bin, name), `#!/bin/sh\nexec env ${env.join(' ')} ${line} "$@"\n`);
    chmodSync(join(bin, name), 0o755);
  }
  setEnv('PATH', `${bin}:${process.env['PATH']}`);
}

export const sh = (line: string): string =>
  execFileSync('sh', ['-c', line], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();

/** What is said on standard error as well, whatever the status. */
export const said = (line: string): string => sh(`${line} 2>&1 || true`);

function daemon(argv: readonly [string, ...string[]]): void {
  const [command, ...words] = argv;
  const child = spawn(command, words, { env: { ...process.env, ...ENV }, stdio: 'ignore' });
  const gone = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGTERM');
    await gone;
  });
}

/** With Debian's configuration, and files of an administrator or of a package below /etc/firewalld. */
export async function firewalld(files: Readonly<Record<string, string>> = {}): Promise<void> {
  mkdirSync('/run/dbus', { recursive: true });
  writeFileSync('/run/dbus/test.conf', SYSTEM_BUS);
  cpSync(`${TREE}/etc/firewalld`, '/etc/firewalld', { recursive: true });
  onTestFinished(() => {
    rmSync('/etc/firewalld', { recursive: true });
    rmSync('/run/dbus', { recursive: true });
  });
  for (const [path, content] of Object.entries(files)) writeFileSync(join('/etc/firewalld', path), content);
  daemon([`${TREE}/usr/bin/dbus-daemon`, '--config-file=/run/dbus/test.conf', '--nofork']);
  await until(() => existsSync('/run/dbus/system_bus_socket'), 'the bus');
  install({ 'firewall-cmd': `${PYTHON} ${TREE}/usr/bin/firewall-cmd.pyc` });
  const places = ['--default-config', `${TREE}/usr/lib/firewalld`, '--log-file', '/run/dbus/firewalld.log'];
  daemon([PYTHON, `${TREE}/usr/sbin/firewalld.pyc`, '--nofork', '--nopid', ...places]);
  await until(() => said('firewall-cmd --state') === 'running', 'firewalld');
}

/** What iptables made nft prints in its own words only with these, as on a host that has iptables. */
const extensions = (): void => setEnv('XTABLES_LIBDIR', `${TREE}/usr/lib/x86_64-linux-gnu/xtables`);

/** iptables-nft, which Debian's iptables is. */
export function iptables(): void {
  extensions();
  install({ iptables: `${TREE}/usr/sbin/xtables-nft-multi iptables` });
}

/** Its places are in a constant of its own, but for what --rootdir and --datadir say. */
const RUN_UFW = `import sys, runpy, ufw.common
root, program = sys.argv[1:3]
ufw.common.iptables_dir, ufw.common.do_checks = root + "/bin", False
sys.argv = ["ufw", "--rootdir=" + root, "--datadir=" + root] + sys.argv[3:]
runpy.run_path(program, run_name="__main__")
`;

/** On, with Debian's defaults: nothing comes in, nothing is routed. */
export function ufw(): void {
  const root = scratchDir();
  for (const dir of ['usr/share/ufw', 'lib/ufw', 'etc/ufw', 'etc/default'])
    cpSync(join(TREE, dir), join(root, dir), { recursive: true });
  cpSync(join(root, 'usr/share/ufw/iptables'), join(root, 'etc/ufw'), { recursive: true });
  cpSync(join(root, 'usr/share/ufw/ufw.conf'), join(root, 'etc/ufw/ufw.conf'));
  const init = join(root, 'lib/ufw/ufw-init-functions');
  writeFileSync(init, readFileSync(init, 'utf8').replace(/^PATH="/m, `PATH="${root}/bin:`));
  mkdirSync(join(root, 'bin'));
  for (const family of ['iptables', 'ip6tables'])
    for (const end of ['', '-restore', '-save'])
      symlinkSync(`${TREE}/usr/sbin/xtables-nft-multi`, join(root, 'bin', `${family}${end}`));
  writeFileSync(join(root, 'run.py'), RUN_UFW);
  extensions();
  install({ ufw: `${PYTHON} ${root}/run.py ${root} ${TREE}/usr/sbin/ufw.pyc` });
  sh('ufw --force enable');
  onTestFinished(() => {
    sh('ufw --force disable; for f in ip ip6; do nft delete table $f filter; done 2>/dev/null; true');
  });
}
