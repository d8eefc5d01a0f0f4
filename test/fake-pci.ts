/**
 * PCI devices in a folder that react to what is written as Linux 6.1 does (drivers/base/bus.c, drivers/base/dd.c,
 * drivers/pci/pci-driver.c, drivers/vfio): test/pci-contract.ts asks both the same questions.
 */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import type { Machine, RunResult } from '../src/host/port.ts';
import { type PciTree, pciTree } from './pci-tree.ts';

interface Netdev {
  mac: string;
  mtu: number;
  up: boolean;
  master?: string;
  addresses: readonly string[];
}

interface Device {
  readonly address: string;
  readonly native: string;
  readonly group?: string;
  driver: string | null;
  override: string;
  /** By name, as the network stack has them while the native driver is bound. */
  readonly nets: Map<string, Netdev>;
  readonly netNames: readonly string[];
}

const ok: RunResult = { status: 0, signal: null, stdout: '', stderr: '', timedOut: false };
const errno = (code: string): Error => Object.assign(new Error(`${code}: by the fake kernel`), { code });

export class FakePci {
  readonly tree: PciTree;
  readonly machine: Machine;
  /** What was written where, in order. */
  readonly writes: string[] = [];
  /** Called before each write; may throw, or say that it is to have no effect. */
  before: (path: string) => 'as it is' | 'nothing' = () => 'as it is';
  readonly #devices = new Map<string, Device>();
  readonly #failing = new Set<string>();

  constructor(text: string, base: Machine) {
    this.tree = pciTree(text);
    for (const { address, words } of this.tree.lines) {
      const group = words.get('group');
      const driver = words.get('driver');
      this.#devices.set(address, {
        address,
        native: words.get('native') ?? driver ?? 'none',
        ...(group === undefined ? {} : { group }),
        driver: driver ?? null,
        override: words.get('override') ?? '',
        nets: new Map(),
        netNames: words.get('net')?.split(',') ?? [],
      });
    }
    for (const driver of ['vfio-pci', 'other']) {
      this.tree.put(`/sys/bus/pci/drivers/${driver}/bind`, '');
      this.tree.put(`/sys/bus/pci/drivers/${driver}/unbind`, '');
    }
    for (const device of this.#devices.values()) if (device.driver !== null) this.#attached(device);
    this.machine = this.#machine(base);
  }

  /** From now on this driver's probe of it fails. */
  failProbe(address: string, driver: string): void {
    this.#failing.add(`${address} ${driver}`);
  }

  net(address: string, name: string): Netdev {
    const net = this.#device(address).nets.get(name);
    if (net === undefined) throw new Error(`${address} has no ${name}`);
    return net;
  }

  driver(address: string): string | undefined {
    return this.#devices.get(address)?.driver ?? undefined;
  }

  vanish(address: string): void {
    this.#devices.delete(address);
    rmSync(join(this.tree.root, `/sys/bus/pci/devices/${address}`), { force: true });
    rmSync(join(this.tree.root, `/sys/devices/pci/${address}`), { recursive: true, force: true });
  }

  /** As modprobe of its driver, a rescan or udev would: all that match and have none. */
  probeAll(): void {
    for (const device of this.#devices.values()) this.#probe(device);
  }

  /** All that counts for "as before". */
  state(): string {
    const devices = [...this.#devices.values()].map(({ nets, ...device }) => ({
      ...device,
      nets: [...nets],
      shown: existsSync(join(this.tree.root, `/sys/devices/pci/${device.address}/driver`)),
    }));
    const nodes = join(this.tree.root, '/dev/vfio');
    return JSON.stringify([devices, existsSync(nodes) ? readdirSync(nodes).sort() : []], null, 1);
  }

  write(path: string, value: string): void {
    const [, address] = /^\/sys\/bus\/pci\/devices\/([^/]+)\/driver_override$/.exec(path) ?? [];
    if (address !== undefined) {
      this.#override(this.#device(address), value);
      return;
    }
    const [, name, what] = /^\/sys\/bus\/pci\/drivers\/([^/]+)\/(bind|unbind)$/.exec(path) ?? [];
    if (name !== undefined) {
      if (!existsSync(join(this.tree.root, path))) throw errno('ENOENT');
      if (what === 'bind') this.#bind(this.#device(value), name);
      else this.#unbind(this.#device(value), name);
      return;
    }
    // A probe that finds no driver, or fails, succeeds all the same.
    if (path !== '/sys/bus/pci/drivers_probe') throw errno('ENOENT');
    this.#probe(this.#device(value));
  }

  #device(address: string): Device {
    const device = this.#devices.get(address);
    if (device === undefined) throw errno('ENODEV');
    return device;
  }

  #override(device: Device, value: string): void {
    // A write of no bytes never reaches the driver core.
    if (value === '') return;
    device.override = value.split('\n')[0] ?? '';
    writeFileSync(
      join(this.tree.root, `/sys/devices/pci/${device.address}/driver_override`),
      `${device.override || '(null)'}\n`,
    );
  }

  #matches(device: Device, driver: string): boolean {
    return device.override === '' ? device.native === driver : device.override === driver;
  }

  #probe(device: Device): void {
    const driver = device.override || device.native;
    const loaded = existsSync(join(this.tree.root, `/sys/bus/pci/drivers/${driver}`));
    if (device.driver === null && loaded && !this.#failing.has(`${device.address} ${driver}`)) {
      device.driver = driver;
      this.#attached(device);
    }
  }

  #bind(device: Device, driver: string): void {
    if (!this.#matches(device, driver)) throw errno('ENODEV');
    if (device.driver !== null) throw errno('EBUSY');
    if (this.#failing.has(`${device.address} ${driver}`)) throw errno('EIO');
    if (driver === 'vfio-pci' && device.group === undefined) throw errno('EINVAL');
    device.driver = driver;
    this.#attached(device);
  }

  #unbind(device: Device, driver: string): void {
    if (device.driver !== driver) throw errno('ENODEV');
    device.driver = null;
    device.nets.clear();
    const dir = join(this.tree.root, `/sys/devices/pci/${device.address}`);
    rmSync(join(dir, 'driver'), { force: true });
    rmSync(join(dir, 'net'), { recursive: true, force: true });
    const alone = ![...this.#devices.values()].some(
      (one) => one.group === device.group && one.driver === 'vfio-pci',
    );
    if (alone) rmSync(join(this.tree.root, `/dev/vfio/${device.group}`), { force: true });
  }

  #attached(device: Device): void {
    const dir = join(this.tree.root, `/sys/devices/pci/${device.address}`);
    const to = join(this.tree.root, `/sys/bus/pci/drivers/${device.driver}`);
    if (!existsSync(join(dir, 'driver'))) symlinkSync(relative(dir, to), join(dir, 'driver'));
    if (device.driver === 'vfio-pci') this.tree.put(`/dev/vfio/${device.group}`, '');
    if (device.driver !== device.native) return;
    for (const [index, name] of device.netNames.entries()) {
      mkdirSync(join(dir, 'net', name), { recursive: true });
      device.nets.set(name, {
        mac: `02:00:00:00:0${device.address.at(-1)}:1${index}`,
        mtu: 1500,
        up: false,
        addresses: [],
      });
    }
  }

  #machine(base: Machine): Machine {
    const at = (path: string): string => join(this.tree.root, path);
    const there = <T>(look: () => T): T | undefined => {
      try {
        return look();
      } catch {
        return undefined;
      }
    };
    return {
      ...base,
      run: async (argv, options) => this.#run(argv) ?? base.run(argv, options),
      read: async (path) => there(() => readFileSync(at(path), 'utf8').replace(/\n$/, '')),
      write: async (path, value) => {
        this.writes.push(`${path} ${value}`.trim());
        if (this.before(path) === 'as it is') this.write(path, value);
      },
      stat: async (path) => {
        const stat = there(() => lstatSync(at(path)));
        return (
          stat && {
            kind: stat.isSymbolicLink() ? 'link' : stat.isDirectory() ? 'directory' : 'file',
            inode: `${stat.ino}`,
          }
        );
      },
      list: async (path) => there(() => readdirSync(at(path)).sort()),
      capture: async (path) => there(() => ({ linkTo: readlinkSync(at(path)) })),
    };
  }

  #run(argv: readonly string[]): RunResult | undefined {
    if (argv[0] === 'modprobe') return ok;
    if (argv[0] === 'ip') return { ...ok, stdout: JSON.stringify(this.#address(argv.at(-1) ?? '')) };
    const [, , , name, address = '', , dev = '', mtu, master, up, ...addresses] = argv;
    if (name !== 'qlaunch-netdev') return undefined;
    const net = this.#devices.get(address)?.nets.get(dev);
    if (net === undefined) return { ...ok, status: 1, stderr: `${dev} did not come back` };
    Object.assign(net, { mtu: Number(mtu), addresses: [...new Set([...net.addresses, ...addresses])] });
    if (master !== '' && master !== undefined) net.master = master;
    if (up === 'up') net.up = true;
    return ok;
  }

  #address(dev: string): object[] {
    for (const { nets } of this.#devices.values()) {
      const net = nets.get(dev);
      if (net === undefined) continue;
      const { mac, mtu, up, master, addresses } = net;
      const info = addresses.map((text) => ({
        local: text.split('/')[0],
        prefixlen: Number(text.split('/')[1]),
        scope: 'global',
      }));
      return [
        {
          ifname: dev,
          address: mac,
          mtu,
          flags: up ? ['UP'] : [],
          ...(master === undefined ? {} : { master }),
          addr_info: info,
        },
      ];
    }
    return [];
  }
}
