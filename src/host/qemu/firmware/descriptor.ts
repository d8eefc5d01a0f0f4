/** Firmware descriptors as distributions install them. Source: qemu/docs/interop/firmware.json. Pure. */

export interface Firmware {
  /** Absolute path of the code, mapped read-only. */
  readonly code: string;
  /** The empty variable store that a VM's own one is copied from. */
  readonly varsTemplate: string;
  readonly format: 'raw' | 'qcow2';
}

interface Descriptor {
  readonly 'interface-types'?: readonly string[];
  readonly mapping?: {
    readonly device?: string;
    readonly mode?: string;
    readonly executable?: { readonly filename?: string; readonly format?: string };
    readonly 'nvram-template'?: { readonly filename?: string; readonly format?: string };
  };
  readonly targets?: readonly { readonly architecture?: string; readonly machines?: readonly string[] }[];
  readonly features?: readonly string[];
}

/** They need more of the machine than a pflash pair, or let no unsigned guest boot. */
const UNWANTED = ['requires-smm', 'enrolled-keys', 'secure-boot'];

/**
 * The firmware of this descriptor when a plain x86-64 UEFI guest can boot from it.
 * @param machine `q35`, `pc`, or a full name such as `pc-q35-7.2`
 */
export function readDescriptor(text: string, machine: string): Firmware | undefined {
  let descriptor: Descriptor;
  try {
    descriptor = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { mapping, features = [], targets = [] } = descriptor;
  const fits =
    descriptor['interface-types']?.includes('uefi') === true &&
    mapping?.device === 'flash' &&
    (mapping.mode ?? 'split') === 'split' &&
    targets.some(
      ({ architecture, machines = [] }) =>
        architecture === 'x86_64' && machines.some((glob) => matches(glob, machine)),
    );
  if (!fits || features.some((feature) => UNWANTED.includes(feature))) return undefined;
  const code = mapping.executable?.filename;
  const vars = mapping['nvram-template']?.filename;
  const format = mapping.executable?.format ?? 'raw';
  if (code === undefined || vars === undefined || (format !== 'raw' && format !== 'qcow2')) return undefined;
  return { code, varsTemplate: vars, format };
}

/** The descriptors' globs name versioned machines only (`pc-q35-*`), users say `q35`. */
function matches(glob: string, machine: string): boolean {
  const full = machine === 'q35' ? 'pc-q35-' : machine === 'pc' ? 'pc-i440fx-' : machine;
  if (glob.endsWith('*')) return full.startsWith(glob.slice(0, -1));
  return glob === machine || (full !== machine && glob.startsWith(full));
}
