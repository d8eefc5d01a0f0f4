/** What the driver core answers: asked of the fake one and, in the lab, of the kernel (drivers/base/bus.c and dd.c). */
import { expect, test } from 'vitest';
import type { Machine } from '../src/host/port.ts';
import type { HostPath } from '../src/plan/step.ts';
import { devicePath, driverPath, overridePath } from '../src/plan/vfio/rebind.ts';
import { driverOf } from '../src/run/change/rebind.ts';

export interface Subject {
  readonly machine: Machine;
  /** Alone in its IOMMU group, with its own driver. */
  readonly address: string;
  readonly native: string;
  /** A driver that is there and does not take it. */
  readonly foreign: string;
  readonly group: string;
}

const PROBE: HostPath = '/sys/bus/pci/drivers_probe';

export function pciContract(name: string, make: () => Promise<Subject>): void {
  test(`${name}: what is written to the PCI bus, and what comes of it`, async () => {
    const { machine, address, native, foreign, group } = await make();
    const write = async (path: string, value: string): Promise<string> => {
      try {
        await machine.write(path, value, 10_000);
        return 'ok';
      } catch (error) {
        return (error as NodeJS.ErrnoException).code ?? String(error);
      }
    };
    const driver = (): Promise<string | undefined> => driverOf(address, machine);
    const override = overridePath(address);
    const node = async (): Promise<boolean> => (await machine.stat(`/dev/vfio/${group}`)) !== undefined;
    const bind = (to: string): Promise<string> => write(`${driverPath(to)}/bind`, address);
    const unbind = (from: string): Promise<string> => write(`${driverPath(from)}/unbind`, address);

    const bound = {
      probeOfNobody: await write(PROBE, '0000:7f:1f.7'),
      probeOfTheShortForm: await write(PROBE, address.slice(5)),
      probeOfABoundOne: await write(PROBE, address),
      bindTwice: await bind(native),
      bindElsewhere: await bind(foreign),
      unbindFromAnother: await unbind(foreign),
      bindToNoDriver: await bind('no-such-driver'),
      driver: await driver(),
    };
    expect(bound).toEqual({
      probeOfNobody: 'ENODEV',
      probeOfTheShortForm: 'ENODEV',
      probeOfABoundOne: 'ok',
      bindTwice: 'EBUSY',
      bindElsewhere: 'ENODEV',
      unbindFromAnother: 'ENODEV',
      bindToNoDriver: 'ENOENT',
      driver: native,
    });

    expect(await unbind(native)).toBe('ok');
    const free = {
      driver: await driver(),
      unbindAgain: await unbind(native),
      vfioWithoutOverride: await bind('vfio-pci'),
      foreign: await bind(foreign),
      unset: await machine.read(override),
      setToNoDriver: await write(override, 'no-such-driver\n'),
      set: await machine.read(override),
      probeThen: await write(PROBE, address),
      nativeThen: await bind(native),
      stillFree: await driver(),
    };
    expect(free).toEqual({
      driver: undefined,
      unbindAgain: 'ENODEV',
      vfioWithoutOverride: 'ENODEV',
      foreign: 'ENODEV',
      unset: '(null)',
      setToNoDriver: 'ok',
      set: 'no-such-driver',
      probeThen: 'ok',
      nativeThen: 'ENODEV',
      stillFree: undefined,
    });

    const taken = {
      override: await write(override, 'vfio-pci'),
      nodeBefore: await node(),
      bind: await bind('vfio-pci'),
      node: await node(),
      driver: await driver(),
      clear: await write(override, '\n'),
      cleared: await machine.read(override),
      unbind: await unbind('vfio-pci'),
      nodeAfter: await node(),
    };
    expect(taken).toEqual({
      override: 'ok',
      nodeBefore: false,
      bind: 'ok',
      node: true,
      driver: 'vfio-pci',
      clear: 'ok',
      cleared: '(null)',
      unbind: 'ok',
      nodeAfter: false,
    });
    expect(await write(PROBE, address)).toBe('ok');
    expect(await driver()).toBe(native);
    expect(await machine.stat(devicePath(address))).toBeDefined();
  });
}
