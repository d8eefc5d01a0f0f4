/** What QEMU says it has, against what the VmSpec asked for. */
import { expect } from 'vitest';
import type { QmpClient } from '../../../src/run/qmp/client.ts';
import { machineFamily } from '../../../src/spec/vm/machine.ts';
import type { GoldenCase } from '../../golden/qemu/cases.ts';

interface Block {
  readonly device: string;
  readonly inserted?: {
    readonly drv: string;
    readonly ro: boolean;
    readonly image: { readonly filename: string };
  };
}

export async function ask<T>(qmp: QmpClient, command: string, args: Record<string, string> = {}): Promise<T> {
  return (await qmp.execute(command, args)) as T;
}

const get = <T>(qmp: QmpClient, path: string, property: string): Promise<T> =>
  ask<T>(qmp, 'qom-get', { path, property });

/** Every disk and CD-ROM by its id: the file, letter by letter, its format, read-only or not. */
export async function expectBlocks(qmp: QmpClient, { spec, formats }: GoldenCase): Promise<void> {
  const blocks = new Map(
    (await ask<Block[]>(qmp, 'query-block')).map((block) => [block.device, block.inserted]),
  );
  const disks = spec.disks.map(({ id, file, readOnly }) => ({ id, file, drv: formats[id], ro: readOnly }));
  const cdroms = spec.cdroms.map((file, i) => ({ id: `cdrom${i}`, file, drv: 'raw', ro: true }));
  for (const { id, file, drv, ro } of [...disks, ...cdroms]) {
    const inserted = blocks.get(id);
    // With -snapshot the file is below a temporary one.
    const image = spec.snapshot && !ro ? backing(inserted?.image) : inserted?.image.filename;
    expect(image).toBe(file);
    if (!spec.snapshot) expect(inserted).toMatchObject({ drv, ro });
  }
  const flash = ['pflash0', 'pflash1'].filter((device) => blocks.has(device));
  expect(flash).toHaveLength(spec.uefi ? 2 : 0);
  expect(blocks.size).toBe(disks.length + cdroms.length + flash.length);
}

function backing(image: unknown): unknown {
  return (image as { 'backing-image'?: { filename: string } } | undefined)?.['backing-image']?.filename;
}

const DEVICES: Readonly<Record<string, string>> = { virtio: 'virtio-net-pci' };

/** Every NIC by its id: the kind of device, its MAC, and the backend that is plugged into it. */
export async function expectNics(qmp: QmpClient, { spec, macs }: GoldenCase): Promise<void> {
  const microvm = machineFamily(spec.machine) === 'microvm';
  const info = await ask<string>(qmp, 'human-monitor-command', { 'command-line': 'info network' });
  for (const net of spec.nets) {
    const path = `/machine/peripheral/${net.id}`;
    const model = microvm ? 'virtio-net-device' : (DEVICES[net.model] ?? net.model);
    expect(await get(qmp, path, 'type')).toBe(model);
    expect(await get(qmp, path, 'mac')).toBe(macs.get(net.id));
    expect(await get(qmp, path, 'netdev')).toBe(net.id);
    if (net.mtu !== undefined) expect(await get(qmp, path, 'host_mtu')).toBe(net.mtu);
    if (net.queues > 1) expect(await get(qmp, path, 'mq')).toBe(true);
    const backend = net.mode === 'user' ? 'user' : net.mode === 'passt' ? 'stream' : 'tap';
    expect(info).toMatch(new RegExp(`^ \\\\ ${net.id}: index=0,type=${backend}`, 'm'));
  }
  expect(info.match(/type=nic/g)?.length ?? 0).toBe(spec.nets.reduce((sum, net) => sum + net.queues, 0));
}

export async function expectRest(qmp: QmpClient, { name, spec }: GoldenCase): Promise<void> {
  expect(await ask(qmp, 'query-status')).toMatchObject({ status: 'prelaunch' });
  expect(await ask(qmp, 'query-name')).toEqual({ name: name === 'extra' ? "it's mine" : spec.name });
  expect(await ask<unknown[]>(qmp, 'query-cpus-fast')).toHaveLength(spec.smp.cpus);
  expect(await ask(qmp, 'query-memory-size-summary')).toMatchObject({
    'base-memory': spec.memoryMiB * 2 ** 20,
  });
  const type = await get<string>(qmp, '/machine', 'type');
  expect(type.startsWith({ q35: 'pc-q35-', pc: 'pc-i440fx-', microvm: 'microvm' }[spec.machine] ?? '?')).toBe(
    true,
  );
  const chardevs = await ask<{ label: string; filename: string }[]>(qmp, 'query-chardev');
  const serial = chardevs.find(({ label }) => label === 'serial0')?.filename;
  if (spec.serial.kind === 'none') expect(serial).toBeUndefined();
  else expect(serial).toContain({ stdio: 'stdio', socket: 'serial.sock', file: 'file' }[spec.serial.kind]);
  await expectVnc(qmp, spec.vnc);
  if (spec.kernel?.append !== undefined)
    expect(await get(qmp, '/machine', 'append')).toBe(spec.kernel.append);
}

async function expectVnc(qmp: QmpClient, vnc: GoldenCase['spec']['vnc']): Promise<void> {
  const screens = await ask<{ auth: string; server: { host: string; service: string }[] }[]>(
    qmp,
    'query-vnc-servers',
  );
  if (vnc === undefined) return expect(screens).toEqual([]);
  expect(screens).toMatchObject([
    {
      auth: vnc.passwordFile === undefined ? 'none' : 'vnc',
      server: [{ host: vnc.address, service: String(5900 + vnc.display) }],
    },
  ]);
}
