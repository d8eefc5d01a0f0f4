/** Where networks are kept. They are root's: whoever asks, the places are the same. */
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { AutostartPaths } from '../../plan/nat/autostart.ts';
import type { DefinitionPaths } from '../../plan/nat/define.ts';
import { type KnownPort, knownPort } from '../../plan/nat/known-port.ts';
import type { NatPaths, NatStatus } from '../../plan/nat/start.ts';
import type { FilePath } from '../../plan/step.ts';
import { isObject } from '../ip-json.ts';
import { makeFolders } from '../linux-files.ts';
import { type Environment, statePaths } from '../state-paths.ts';
import { checkParents } from '../store.ts';
import { readText } from '../vm/store.ts';

export interface NatPlaces {
  readonly paths: (name: string) => NatPaths;
  readonly definition: (name: string) => DefinitionPaths;
  readonly autostart: (name: string) => AutostartPaths;
  /** Its definition as it was started, and as it was updated since. */
  readonly running: (name: string) => { readonly started: FilePath; readonly updated: FilePath };
  /** What is known of the port that a tap of a VM is. */
  readonly port: (tap: string) => FilePath;
  /** Held while a network's dnsmasq is looked at and started. */
  readonly lock: (name: string) => string;
}

export function natPlaces(env: Environment): NatPlaces {
  const { runtime, state, config } = statePaths(env, 0);
  const file = (...words: readonly string[]): FilePath => join('/', ...words) as FilePath;
  const dir = file(runtime, 'net');
  const folder = file(config, 'networks');
  return {
    paths: (name) => ({
      dir,
      conf: file(dir, `${name}.conf`),
      pid: file(dir, `${name}.pid`),
      status: file(dir, `${name}.json`),
      hosts: file(dir, `${name}.hosts`),
      leases: file(state, 'net', `${name}.leases`),
    }),
    definition: (name) => ({ config: file(config), folder, file: file(folder, `${name}.xml`) }),
    autostart: (name) => ({
      ...{ config: file(config), folder, file: file(folder, `${name}.xml`) },
      ...{ marks: file(folder, 'autostart'), mark: file(folder, 'autostart', `${name}.boot`) },
    }),
    running: (name) => ({
      started: file(dir, `${name}.started.xml`),
      updated: file(dir, `${name}.updated.xml`),
    }),
    port: (tap) => file(dir, `${tap}.port`),
    lock: (name) => join(runtime, 'lock', `net-${name}`),
  };
}

/** Of our own state, like the journal's: it stays. Everybody may look at what runs. */
export function makeFolder(places: NatPlaces, name: string): void {
  const { dir, hosts } = places.paths(name);
  makeFolders(dirname(dir), 0o711);
  // dnsmasq reads them as nobody.
  for (const one of [dir, hosts]) makeFolders(one, 0o755);
  checkParents(join(dir, 'any'));
}

function names(directory: string, ending: string): readonly string[] {
  try {
    const files = readdirSync(directory).filter((name) => name.endsWith(ending));
    return files.map((name) => name.slice(0, -ending.length)).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

export const definedNames = (places: NatPlaces): readonly string[] =>
  names(places.definition('').folder, '.xml');

/** Those that start at boot. */
export const marked = (places: NatPlaces): readonly string[] => names(places.autostart('').marks, '.boot');

/** Of all networks that ever ran; none where they are root's to read. */
export function leaseFiles(places: NatPlaces): readonly string[] {
  const folder = dirname(places.paths('').leases);
  try {
    return names(folder, '.leases').map((name) => places.paths(name).leases);
  } catch {
    return [];
  }
}

/** undefined: it is not defined. Throws QL_STATE_UNSAFE when somebody else could have written it. */
export function readDefinition(places: NatPlaces, name: string): string | undefined {
  const { file } = places.definition(name);
  const text = readText(file);
  if (text !== undefined && process.geteuid?.() === 0) checkParents(file);
  return text;
}

/** Of networks whose start came to its end. */
export function readStatuses(places: NatPlaces): readonly NatStatus[] {
  return names(places.paths('').dir, '.json').flatMap((name) => {
    const value: unknown = JSON.parse(readText(places.paths(name).status) || 'null');
    return isObject(value) && value['v'] === 1 && value['name'] === name
      ? [value as unknown as NatStatus]
      : [];
  });
}

/** Of VMs that run, and of some that have ended meanwhile; in the order of their names. */
export function readPorts(places: NatPlaces, network: string): readonly KnownPort[] {
  return names(places.paths('').dir, '.port').flatMap((tap) => {
    const port = knownPort(readText(places.port(tap)) ?? '');
    return port?.tap === tap && port.network === network ? [port] : [];
  });
}
