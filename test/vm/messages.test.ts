import { execFileSync, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { linuxMachine } from '../../src/host/linux.ts';
import type { RunResult } from '../../src/host/port.ts';
import { findBridgeHelper } from '../../src/host/qemu/helper.ts';
import type { Argv } from '../../src/plan/step.ts';
import { type Explanation, explain, qemuFailed } from '../../src/run/qemu/messages.ts';
import { connectQmp } from '../../src/run/qmp/connect.ts';
import { scratchDir } from '../tiers/guest.ts';
import { qemus } from '../tiers/qemus.ts';

const host = linuxMachine();

describe.each(qemus)('QEMU $label', ({ label, binary }) => {
  const MACHINE = ['-machine', 'q35', '-accel', 'tcg', '-m', '16', '-nodefaults', '-display', 'none', '-S'];

  /** Runs a QEMU that is expected to fail at once. */
  function run(args: readonly string[], before: readonly string[] = []): Promise<RunResult> {
    const argv = [...before, binary, ...MACHINE, ...args] as unknown as Argv;
    return host.run(argv, { timeoutMs: 30_000 });
  }
  async function explained(args: readonly string[], before: readonly string[] = []): Promise<Explanation[]> {
    const result = await run(args, before);
    expect(result).toMatchObject({ status: 1, timedOut: false });
    return explain(result.stderr);
  }
  const causes = (found: readonly Explanation[]): string => found.map(({ cause }) => cause).join('\n');

  async function listen(): Promise<number> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.close();
    });
    return (server.address() as AddressInfo).port;
  }

  test('a forwarded port that is in use', async () => {
    const port = await listen();
    const found = await explained(['-netdev', `user,id=n,hostfwd=tcp:127.0.0.1:${port}-:22`]);
    expect(causes(found)).toContain(`port ${port} cannot be had`);
  });

  test('a VNC display that is in use', async () => {
    const port = await listen();
    const found = await explained(['-vnc', `127.0.0.1:${port - 5900}`]);
    expect(causes(found)).toContain('the port of this VNC display');
  });

  test('a disk that another VM writes to', async () => {
    const dir = scratchDir();
    const disk = join(dir, 'a.qcow2');
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', disk, '1M']);
    const drive = [
      ...['-blockdev', `driver=qcow2,node-name=d,file.driver=file,file.filename=${disk}`],
      ...['-device', 'virtio-blk-pci,drive=d'],
    ];
    const monitor = ['-qmp', `unix:${join(dir, 'qmp')},server=on,wait=off`];
    const first = spawn(binary, [...MACHINE, ...drive, ...monitor], { stdio: 'ignore' });
    onTestFinished(() => {
      first.kill('SIGKILL');
    });
    (await connectQmp(join(dir, 'qmp'), { deadlineMs: 30_000 })).close();
    expect(causes(await explained(drive))).toContain('another QEMU, or qemu-img, uses this image');
  });

  test('a wrong format, a missing file, a directory', async () => {
    const dir = scratchDir();
    writeFileSync(join(dir, 'raw'), Buffer.alloc(1 << 20));
    const open = (driver: string, file: string): Promise<Explanation[]> =>
      explained(['-blockdev', `driver=${driver},node-name=d,file.driver=file,file.filename=${file}`]);
    expect(causes(await open('qcow2', join(dir, 'raw')))).toContain('another format than qcow2');
    expect(causes(await open('raw', join(dir, 'none')))).toContain(`${join(dir, 'none')} does not exist`);
    expect(causes(await open('raw', dir))).toContain(`${dir} is a directory`);
  });

  test('a tap without the right to make one', async () => {
    const noRight = ['setpriv', '--bounding-set', '-net_admin', '--inh-caps', '-net_admin'];
    const tap = 'tap,id=n,ifname=qltap7,script=no,downscript=no';
    const found = await explained(['-netdev', tap], noRight);
    expect(causes(found)).toContain('making a tap needs CAP_NET_ADMIN');
    expect(found[0]?.cure.join('\n')).toContain('sudo ip tuntap add dev qltap7 mode tap');
  });

  test('a tap that is none, a script that is not there', async () => {
    const tap = (more: string): Promise<Explanation[]> =>
      explained(['-netdev', `tap,id=n,${more},downscript=no`]);
    expect(causes(await tap('ifname=lo,script=no'))).toContain('lo is no tap');
    expect(causes(await tap('ifname=qltap7,script=/nope'))).toContain('/nope ended with status 1');
  });

  test('the bridge helper: no list, a list that denies, no bridge, no helper', async () => {
    const helper = findBridgeHelper();
    // An /etc of its own, whoever runs this test.
    const etc = 'mount -t tmpfs none /etc && mkdir /etc/qemu && printf "$1" >/etc/qemu/bridge.conf && shift';
    const bridge = (list: string | undefined, path = helper): Promise<Explanation[]> => {
      const script = `${list === undefined ? 'mount -t tmpfs none /etc && shift' : etc} && exec "$@"`;
      const inside = ['unshare', '--mount', 'sh', '-c', script, 'sh', list ?? ''];
      return explained(['-netdev', `bridge,id=n,br=lan0,helper=${path}`], inside);
    };
    const missing = await bridge(undefined);
    expect(causes(missing)).toContain('the list of bridges that users may join is missing');
    expect(missing[0]?.cure).toContain('sudo qlaunch acl allow lan0');
    expect(causes(await bridge('allow other\\n'))).toContain('does not allow bridge lan0');
    expect(causes(await bridge('Allow lan0\\n'))).toContain('begins with "Allow"');
    expect(causes(await bridge('allow lan0\\n'))).toContain('there is no bridge "lan0"');
    expect(causes(await bridge('allow lan0\\n', '/nope'))).toContain('could not be run at all');
  });

  test('no /dev/kvm', async () => {
    const noDev = ['unshare', '--mount', 'sh', '-c', 'mount -t tmpfs none /dev && exec "$@"', 'sh'];
    const argv = [
      ...noDev,
      binary,
      '-machine',
      'q35',
      '-accel',
      'kvm',
      '-m',
      '16',
      '-nodefaults',
      '-display',
      'none',
      '-S',
    ];
    const result = await host.run(argv as unknown as Argv, { timeoutMs: 30_000 });
    expect(result.status).toBe(1);
    expect(causes(explain(result.stderr))).toContain('there is no /dev/kvm');
  });

  test('what this QEMU does not know', async () => {
    expect(causes(await explained(['-netdev', 'nope,id=n']))).toContain('no network backend of that kind');
    expect(causes(await explained(['-netdev', 'user,id=n,vlan=0']))).toContain('does not know that option');
    expect(causes(await explained(['-device', 'nope']))).toContain('no device nope');
    expect(causes(await explained(['-cpu', 'nope']))).toContain('no CPU model "nope"');
    expect(causes(await explained(['-machine', 'nope']))).toContain('no such machine');
    expect(causes(await explained(['-display', 'gtk']))).toContain('-display gtk comes in a package');
    expect(causes(await explained(['-netdev', 'user,id=n,smb=/tmp']))).toContain('smbd is not installed');
  });

  test('a PCI device that is not there, a socket path that is too long, a time stamp in front', async () => {
    expect(causes(await explained(['-device', 'vfio-pci,host=7f:1f.7']))).toContain('no PCI device');
    const long = `/tmp/${'x'.repeat(110)}`;
    const found = await explained(['-msg', 'timestamp=on', '-qmp', `unix:${long},server=on,wait=off`]);
    expect(found[0]?.words).toMatch(/^qemu-system-x86_64: -qmp/);
    expect(causes(found)).toContain('at most 107 bytes');
  });

  test('a sandbox that forbids the helper: killed without a word, or refused', async () => {
    const { status, signal, stderr } = await run([
      '-sandbox',
      'on,spawn=deny',
      '-netdev',
      'bridge,id=n,br=lan0',
    ]);
    const error = qemuFailed(stderr, { status, signal });
    const by = label === '7.2' ? 'a system call that -sandbox forbids' : '-sandbox spawn=deny forbids QEMU';
    expect(error.why.join('\n')).toContain(by);
  });
});
