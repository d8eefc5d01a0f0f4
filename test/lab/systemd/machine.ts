/** A nested machine that boots Debian with systemd as process 1; seen from the other end of its cables. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

/** A NIC of the machine, and its network: 10.9.SLOT.0/24, where a DHCP server has 10.9.SLOT.1. */
export interface Nic {
  /** PCI slot; the machine calls the NIC enp0sSLOT. */
  readonly slot: number;
  readonly model: 'e1000e' | 'virtio-net-pci';
}

/** A file that the machine has from its first boot on. */
export interface SeedFile {
  readonly path: string;
  readonly content: string;
  readonly mode?: number;
}

interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Machine {
  /** Lines for bash. Never rejects because of their status. */
  run(script: string): Promise<Ran>;
  /** The same; gives stdout, and throws unless the status is 0. */
  sh(script: string): Promise<string>;
  /** As an administrator reboots it; ends when it answers again. */
  reboot(): Promise<void>;
  /** Nothing in it gets to know. Ends when it answers again. */
  cutPower(): Promise<void>;
  readonly dir: string;
  end(): Promise<void>;
}

interface Parts {
  readonly kernel: string;
  readonly initrd: string;
  readonly disk: string;
  readonly programs: string;
}

export const macOf = ({ slot }: Nic): string => `52:54:00:00:09:0${slot}`;
export const gatewayOf = ({ slot }: Nic): string => `10.9.${slot}.1`;

/** scripts/tiers/lab.mjs says what to boot. */
export async function boot(nics: readonly Nic[], seed: readonly SeedFile[]): Promise<Machine> {
  const parts = JSON.parse(process.env['QLAUNCH_TEST_SYSTEMD'] ?? '{}') as Parts;
  const dir = mkdtempSync(join(tmpdir(), 'machine-'));
  const dhcp = cables(nics, dir);
  const shell = join(dir, 'shell');
  const qemu = spawn('qemu-system-x86_64', argv(parts, nics, { shell, seed: archive(dir, seed), dir }), {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const [say, next] = await talkTo(shell, qemu);
  await next(/^up /);
  const order = (script: string): void => say(Buffer.from(script).toString('base64'));
  const run = async (script: string): Promise<Ran> => {
    order(script);
    const [status, stdout = '', stderr = ''] = (await next(/^\d/)).split(' ');
    const text = (word: string): string => Buffer.from(word, 'base64').toString().trimEnd();
    return { status: Number(status), stdout: text(stdout), stderr: text(stderr) };
  };
  return {
    dir,
    run,
    sh: async (script) => {
      const { status, stdout, stderr } = await run(script);
      if (status !== 0) throw new Error(`${script}\nended with ${status}\n${stdout}\n${stderr}`);
      return stdout;
    },
    reboot: async () => {
      order('systemctl reboot');
      await next(/^up /);
    },
    cutPower: async () => {
      qemu.stdin.write('system_reset\n');
      await next(/^up /);
    },
    end: async () => {
      for (const child of [qemu, dhcp]) await ended(child);
    },
  };
}

function argv(
  { kernel, initrd, disk, programs }: Parts,
  nics: readonly Nic[],
  { shell, seed, dir }: { readonly shell: string; readonly seed: string; readonly dir: string },
): string[] {
  return [
    ...['-machine', 'q35', '-accel', 'tcg,thread=multi', '-cpu', 'max', '-smp', '2', '-m', '1024'],
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-monitor', 'stdio'],
    ...['-serial', `file:${dir}/console`, '-kernel', kernel, '-initrd', initrd],
    ...['-append', 'console=ttyS0 quiet panic=-1 no_timer_check mitigations=off'],
    // What is written is gone with the emulator, and not before: it survives a reboot.
    ...['-drive', `file=${disk},format=raw,if=virtio,snapshot=on`],
    ...['-drive', `file=${seed},format=raw,if=virtio,readonly=on`],
    ...['-virtfs', `local,path=${programs},mount_tag=qlaunch,security_model=none,readonly=on`],
    ...['-device', 'virtio-rng-pci', '-device', 'virtio-serial-pci'],
    ...['-chardev', `socket,id=shell,path=${shell},server=on,wait=off`],
    ...['-device', 'virtserialport,chardev=shell,name=shell'],
    ...nics.flatMap((nic) => [
      ...['-netdev', `tap,id=n${nic.slot},ifname=t${nic.slot},script=no,downscript=no`],
      ...['-device', `${nic.model},netdev=n${nic.slot},addr=${nic.slot},mac=${macOf(nic)},romfile=`],
    ]),
  ];
}

/** The taps, and a DHCP server on all of them that knows its clients by what they call themselves. */
function cables(nics: readonly Nic[], dir: string): ChildProcess {
  for (const nic of nics)
    for (const line of [
      `tuntap add dev t${nic.slot} mode tap`,
      `address add ${gatewayOf(nic)}/24 dev t${nic.slot}`,
      `link set t${nic.slot} up`,
    ])
      execFileSync('ip', line.split(' '));
  const ranges = nics.map(({ slot }) => `--dhcp-range=10.9.${slot}.100,10.9.${slot}.199,1h`);
  const quiet = ['--keep-in-foreground', '--conf-file=/dev/null', '--user=root', '--pid-file=', '--port=0'];
  const files = [`--dhcp-leasefile=${dir}/leases`, '--log-dhcp', `--log-facility=${dir}/dnsmasq.log`];
  const words = [...quiet, '--dhcp-authoritative', '--no-ping', ...ranges, ...files];
  return spawn('dnsmasq', words, { stdio: 'inherit' });
}

function archive(dir: string, seed: readonly SeedFile[]): string {
  const paths = seed.map(({ path, content, mode = 0o644 }) => {
    const at = join(dir, 'seed', path);
    mkdirSync(dirname(at), { recursive: true });
    writeFileSync(at, content);
    chmodSync(at, mode);
    return path.slice(1);
  });
  const file = join(dir, 'seed.tar');
  execFileSync('tar', ['--owner=0', '--group=0', '-C', join(dir, 'seed'), '-cf', file, ...paths]);
  return file;
}

/** Gives what sends a line, and what waits for the next line like that. */
async function talkTo(
  path: string,
  qemu: ChildProcess,
): Promise<readonly [(line: string) => void, (what: RegExp) => Promise<string>]> {
  while (!existsSync(path)) {
    if (qemu.exitCode !== null) throw new Error('the machine did not start');
    await sleep(50);
  }
  const socket = connect(path);
  await once(socket, 'connect');
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  const next = async (what: RegExp): Promise<string> => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error('the machine is gone');
    return what.test(value) ? value : next(what);
  };
  return [(line) => void socket.write(`${line}\n`), next];
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}
