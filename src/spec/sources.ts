/**
 * From the places a user writes to, to one RawVm: built-in defaults < user config < profile < command line. A list
 * (disks, NICs, CD-ROMs) given by a higher source replaces the whole list of a lower one.
 */
import { isAbsolute, join } from 'node:path';
import { readProfile } from './ini.ts';
import { KEYS, type KeyName, optionProperty } from './keys.ts';
import type { Problem, RawDevice, RawProp, RawValue, RawVm } from './raw.ts';

export interface IniText {
  /** Absolute. */
  readonly path: string;
  readonly text: string;
}

export interface Sources {
  /** ~/.config/qlaunch/config.ini, if there is one. */
  readonly userConfig?: IniText;
  readonly profile?: IniText;
  /** A disk image named without an option: the first disk. */
  readonly image?: string;
  /** As commander gives them: `uefiVars`, `net: ['user']`, `rng: false`. What is no key is passed over. */
  readonly options: Readonly<Record<string, unknown>>;
  /** QEMU's own arguments after `--`. */
  readonly extra: readonly string[];
  /** Absolute. */
  readonly cwd: string;
}

/** What one source says. */
export interface Layer {
  readonly values: ReadonlyMap<KeyName, readonly RawValue[]>;
  readonly disks: readonly RawDevice[];
  readonly nets: readonly RawDevice[];
  readonly problems: readonly Problem[];
}

export function readSources(sources: Sources): RawVm {
  const { userConfig, profile, image, cwd, extra } = sources;
  const files = [
    // Nobody named it on this command line, so it is told where it is.
    ...(userConfig ? [readProfile(userConfig, userConfig.path)] : []),
    ...(profile ? [readProfile(profile)] : []),
  ];
  const layers = [...files, commandLine(sources)];
  const last = (devices: (layer: Layer) => readonly RawDevice[]): readonly RawDevice[] =>
    layers.map(devices).findLast((list) => list.length > 0) ?? [];
  const named = profile?.path ?? image;
  return {
    values: new Map(layers.flatMap((layer) => [...layer.values])),
    disks: last((layer) => layer.disks),
    nets: last((layer) => layer.nets),
    extra,
    ...(named === undefined ? {} : { named: isAbsolute(named) ? named : join(cwd, named) }),
    problems: layers.flatMap((layer) => layer.problems),
    files,
  };
}

function commandLine({ options, image, cwd: dir }: Sources): Layer {
  const values = new Map<KeyName, readonly RawValue[]>();
  for (const { name } of KEYS) {
    const given = texts(options[optionProperty(name)]);
    const place = (i: number): string => (given.length > 1 ? `--${name} (${ordinal(i + 1)})` : `--${name}`);
    if (given.length > 0)
      values.set(
        name,
        given.map((text, i) => ({ text, at: place(i), dir })),
      );
  }
  const devices = (key: KeyName): RawDevice[] => (values.get(key) ?? []).map((short) => ({ short }));
  const [disks, nets] = [devices('disk'), devices('net')];
  values.delete('disk');
  values.delete('net');
  // The name of an image is taken as it is: a comma in it separates nothing.
  const file: RawProp | undefined =
    image === undefined ? undefined : { key: 'file', text: image, at: image, dir };
  const first: readonly RawDevice[] = file === undefined ? [] : [{ at: file.at, dir, props: [file] }];
  return { values, disks: [...first, ...disks], nets, problems: [] };
}

/** A switch is on or off; `--uefi` without its value is on. */
function texts(option: unknown): readonly string[] {
  if (option === undefined) return [];
  if (typeof option === 'boolean') return [option ? 'on' : 'off'];
  return Array.isArray(option) ? option.map(String) : [String(option)];
}

function ordinal(n: number): string {
  return ['1st', '2nd', '3rd'][n - 1] ?? `${n}th`;
}
