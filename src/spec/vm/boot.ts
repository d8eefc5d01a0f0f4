import { parseSwitch } from '../number.ts';
import { readProps, splitOptions } from '../props.ts';
import { Gathering, type Problem, type RawValue } from '../raw.ts';
import type { BootSpec } from '../vm-spec.ts';

/** `cd`, or `order=cd,once=d,menu=on` as in QEMU's -boot. */
export function parseBoot(value: RawValue): BootSpec | readonly Problem[] {
  const gathering = new Gathering();
  const headless = /^[a-z]+=/.test(value.text);
  const { head, props } = splitOptions(headless ? { ...value, text: `,${value.text}` } : value);
  const boot: { order?: string; once?: string; menu: boolean } = { menu: false };
  const letters = (key: 'order' | 'once') => ({
    read: ({ text, at }: RawValue): void => {
      const order = gathering.take(parseLetters(text, at));
      if (order !== undefined) boot[key] = order;
    },
  });
  if (!headless) letters('order').read(head);
  const menu = {
    read: ({ text, at }: RawValue): void => {
      boot.menu = gathering.take(parseSwitch(text, at)) ?? false;
    },
  };
  readProps(props, { order: letters('order'), once: letters('once'), menu }, 'boot', gathering);
  return gathering.problems.length > 0 ? gathering.problems : boot;
}

function parseLetters(text: string, at: string): string | Problem {
  if (!/^[cdn]+$/.test(text))
    return { at, what: `"${text}" must be of the letters c (disk), d (CD-ROM) and n (network)`, hint: 'cd' };
  return new Set(text).size === text.length ? text : { at, what: `"${text}" names a letter twice` };
}
