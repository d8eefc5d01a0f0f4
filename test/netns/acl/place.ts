/** A machine's helper, list of bridges and tun device, each covered by one that a test may spoil. */
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';

export const HELPER = '/usr/lib/qemu/qemu-bridge-helper';
export const ACL = '/etc/qemu/bridge.conf';
export const ALICE = 4711;
export const PLUGGERS = 4712;

const PACKAGE = `Package: qemu-system-common
Status: install ok installed
Maintainer: nobody
Architecture: all
Version: 1
Description: one
`;

export function sh(script: string): string {
  const { status, stdout, stderr } = spawnSync('sh', ['-ec', script], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${script}\nended with ${status}: ${stderr}`);
  return stdout;
}

/** The users alice, of group pluggers, and bob; br0, up. The list allows br0; the helper is 4750 root:pluggers. */
export function furnish(): void {
  if (!existsSync('/run/original-helper')) {
    copyFileSync(HELPER, '/run/original-helper');
    appendFileSync('/etc/passwd', `alice:x:${ALICE}:${ALICE}::/:/bin/sh\nbob:x:4713:4713::/:/bin/sh\n`);
    appendFileSync('/etc/group', `alice:x:${ALICE}:\nbob:x:4713:\npluggers:x:${PLUGGERS}:alice\n`);
    copyFileSync('/etc/group', '/run/original-group');
    mkdirSync('/etc/qemu', { recursive: true });
    sh('mount -t tmpfs -o mode=755 tmpfs /usr/lib/qemu; mount -t tmpfs -o mode=755 tmpfs /dev/net');
  }
  sh(`rm -rf /dev/net/tun /etc/qemu; mknod -m 666 /dev/net/tun c 10 200; mkdir -m 755 /etc/qemu
    echo 'allow br0' > ${ACL}; chmod 644 ${ACL}; mount -o remount,suid /usr/lib/qemu
    ip link show br0 > /dev/null 2>&1 || ip link add br0 type bridge; ip link set br0 up`);
  copyFileSync('/run/original-group', '/etc/group');
  // As much of dpkg's database as says whose the helper is.
  mkdirSync('/var/lib/dpkg/info', { recursive: true });
  writeFileSync('/var/lib/dpkg/status', PACKAGE);
  writeFileSync(
    '/var/lib/dpkg/info/qemu-system-common.list',
    `/.\n/usr\n/usr/lib\n/usr/lib/qemu\n${HELPER}\n`,
  );
  writeFileSync('/var/lib/dpkg/statoverride', '');
  rmSync(HELPER, { force: true });
  copyFileSync('/run/original-helper', HELPER);
  sh(`chown root:pluggers ${HELPER}`);
  chmodSync(HELPER, 0o4750);
}

/** What the helper says to this user; '' when it hands out a tap. `limits`: more for setpriv(1). */
export function askHelper(user: string, bridge: string, ...limits: readonly string[]): string {
  const script = `import socket, subprocess, sys
ours, theirs = socket.socketpair()
said = subprocess.run(sys.argv[1:] + ["--fd=%d" % theirs.fileno()], pass_fds=[theirs.fileno()], stderr=subprocess.PIPE)
sys.stderr.buffer.write(said.stderr)
sys.exit(said.returncode)`;
  const run = [
    'setpriv',
    `--reuid=${user}`,
    `--regid=${user}`,
    '--init-groups',
    ...limits,
    // setpriv(1) gives up its capabilities only with its exec, which so may run what the user may not.
    ...['sh', '-c', 'exec "$@"', 'sh'],
  ];
  const { stderr } = spawnSync('python3', ['-c', script, ...run, HELPER, `--br=${bridge}`], {
    encoding: 'utf8',
  });
  return stderr;
}
