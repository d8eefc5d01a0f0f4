/**
 * Which taps of VMs belong to a network, and their ports as they were made. Root's own file beside the network: a VM's
 * record is its user's to write.
 */
import type { PortSpec } from '../../spec/port.ts';
import { putFile } from '../files.ts';
import type { FilePath, Step } from '../step.ts';
import type { TapWish } from '../tap/managed.ts';

export interface KnownPort extends Pick<PortSpec, 'isolated' | 'vlan' | 'trunk' | 'rate'> {
  readonly v: 1;
  readonly network: string;
  /** The label of its VM. */
  readonly vm: string;
  readonly tap: string;
}

/** Before the tap is made, and so taken back after it is gone. */
export function rememberPort(wish: TapWish, network: string, vm: string, path: FilePath): Step {
  const { name: tap, isolated, vlan, trunk, rate } = wish;
  const port: KnownPort = {
    ...{ v: 1, network, vm, tap },
    ...(isolated === undefined ? {} : { isolated }),
    ...(vlan === undefined ? {} : { vlan }),
    ...(trunk === undefined ? {} : { trunk }),
    ...(rate === undefined ? {} : { rate }),
  };
  return putFile({ path, content: `${JSON.stringify(port)}\n` });
}

/** What rememberPort() wrote; undefined: it did not write that. Half of it would be a guest beside its VLAN. */
export function knownPort(text: string): KnownPort | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isKnownPort(value) ? value : undefined;
  } catch {
    // Cut off.
    return undefined;
  }
}

function isKnownPort(value: unknown): value is KnownPort {
  const { v, network, vm, tap, isolated, vlan, trunk, rate } = fieldsOf(value);
  return (
    v === 1 &&
    [network, vm, tap].every((one) => typeof one === 'string') &&
    isMaybe(isolated, 'boolean') &&
    isMaybe(vlan, 'number') &&
    (trunk === undefined || (Array.isArray(trunk) && trunk.every(isRange))) &&
    isMaybe(rate, 'object') &&
    Object.values(fieldsOf(rate)).every((one) => isMaybe(one, 'number'))
  );
}

const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? { ...value } : {};

const isMaybe = (value: unknown, type: 'boolean' | 'number' | 'object'): boolean =>
  value === undefined || (typeof value === type && value !== null);

function isRange(value: unknown): boolean {
  const { from, to } = fieldsOf(value);
  return typeof from === 'number' && typeof to === 'number';
}
