/** Whether the running kernel has a driver: loaded, built in, a module that can be loaded, or not at all. */
import { existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { gunzipSync } from 'node:zlib';
import type { Host } from '../port.ts';

export type Driver =
  | 'loaded'
  | 'built in'
  | 'module'
  /** A module of this kernel, but its file is not installed: the kernel was upgraded, or this is a container. */
  | 'module not installed'
  | 'not in this kernel'
  /** No configuration to read, and nothing is loaded under that name. */
  | 'unknown';

/** `option` without CONFIG_. */
export async function driverState(host: Pick<Host, 'run'>, module: string, option: string): Promise<Driver> {
  return judgeDriver(kernelConfig(), option, {
    // A driver that is built in and has parameters is there as well.
    loaded: existsSync(`/sys/module/${module}`),
    loadable: await isLoadable(host, module),
  });
}

/** `config` as in /boot/config-RELEASE; undefined when this kernel keeps it to itself. */
export function judgeDriver(
  config: string | undefined,
  option: string,
  { loaded, loadable }: { readonly loaded: boolean; readonly loadable: boolean },
): Driver {
  const value = new RegExp(`^CONFIG_${option}=(.)`, 'm').exec(config ?? '')?.[1];
  if (value === 'y') return 'built in';
  if (loaded) return 'loaded';
  if (config !== undefined && value === undefined) return 'not in this kernel';
  if (loadable) return 'module';
  return value === 'm' ? 'module not installed' : 'unknown';
}

/** modprobe -n goes all the way but the last step; what is built in is loadable too. */
async function isLoadable(host: Pick<Host, 'run'>, module: string): Promise<boolean> {
  const result = await host.run(['modprobe', '-n', '-q', module], { timeoutMs: 5_000 });
  return result.status === 0;
}

/** undefined: this kernel keeps its configuration to itself. */
function kernelConfig(): string | undefined {
  const places = ['/proc/config.gz', `/boot/config-${release()}`, `/lib/modules/${release()}/config`];
  for (const place of places) {
    try {
      const bytes = readFileSync(place);
      return (place.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('latin1');
    } catch {
      // The next place.
    }
  }
  return undefined;
}
