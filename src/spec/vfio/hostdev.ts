/** `--hostdev SELECTOR[,group=on][,rom=off|FILE][,rombar=off]`: a device of the host that is no NIC, or is not to be one. */
import { Fields } from '../net/fields.ts';
import { parseSwitch } from '../number.ts';
import { parsePath } from '../path.ts';
import { type PropReaders, readProps, splitOptions } from '../props.ts';
import { type Gathering, isProblem, type Problem, type RawProp, type RawValue } from '../raw.ts';
import { parseSelector } from './selector.ts';

export interface HostdevSpec {
  /** hostdev0, hostdev1, … */
  readonly id: string;
  /** As written; resolved against the machine later. */
  readonly selector: string;
  readonly wholeGroup?: boolean;
  /** QEMU's romfile: a path, or '' for no option ROM. */
  readonly romFile?: string;
  readonly romBar?: boolean;
  readonly at: string;
}

/** Kept as it was written: which device it means is for the machine to say. */
export function selectorText(text: string, at: string): string | Problem {
  const selector = parseSelector(text, at);
  return isProblem(selector) ? selector : text;
}

export function parseRom(prop: RawProp, home: string): string | Problem {
  return prop.text === '' || prop.text === 'off' ? '' : parsePath(prop, home);
}

export function parseHostdev(
  value: RawValue,
  index: number,
  home: string,
  gathering: Gathering,
): HostdevSpec | undefined {
  const { head, props } = splitOptions(value);
  const selector = gathering.take(selectorText(head.text, value.at));
  const f = new Fields<HostdevSpec>(gathering, home);
  const rom = f.setFrom('romFile', (prop) => parseRom(prop, home));
  const readers: PropReaders = {
    group: f.set('wholeGroup', parseSwitch),
    rom,
    romfile: rom,
    rombar: f.set('romBar', parseSwitch),
  };
  readProps(props, readers, 'a host device', gathering);
  return selector === undefined ? undefined : { ...f.draft, id: `hostdev${index}`, selector, at: value.at };
}
