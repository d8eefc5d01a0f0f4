import { parseWhole } from '../number.ts';
import { readProps, splitOptions } from '../props.ts';
import { Gathering, type Problem, type RawValue } from '../raw.ts';
import type { SmpSpec } from '../vm-spec.ts';

/** More than any machine type of QEMU takes (q35 9.2: 4096). */
const MAX = 4096;

/** `4`, or `[4,]sockets=1,cores=2,threads=2`; what is left out follows from the rest. */
export function parseSmp(value: RawValue): SmpSpec | readonly Problem[] {
  const { at } = value;
  const gathering = new Gathering();
  // A text that begins with a key has no head.
  const headless = value.text.includes('=') && !/^[0-9]+,/.test(value.text);
  const { head, props } = splitOptions(headless ? { ...value, text: `,${value.text}` } : value);
  const topology: Partial<Record<'cpus' | 'sockets' | 'cores' | 'threads', number>> = {};
  const put = (key: keyof typeof topology) => ({
    read: ({ text, at: place }: RawValue): void => {
      const count = gathering.take(parseWhole(text, place, 1, MAX));
      if (count !== undefined) topology[key] = count;
    },
  });
  if (head.text !== '' || !headless) put('cpus').read(head);
  const readers = {
    cpus: put('cpus'),
    sockets: put('sockets'),
    cores: put('cores'),
    threads: put('threads'),
  };
  readProps(props, readers, 'cpus', gathering);
  const { cpus, sockets, cores, threads } = topology;
  const parts = [sockets, cores, threads];
  const product = parts.reduce<number>((sum, part) => sum * (part ?? 1), 1);
  if (cpus !== undefined && !parts.includes(undefined) && product !== cpus)
    gathering.refuse(at, `sockets × cores × threads is ${product}, not ${cpus}`);
  else if (cpus !== undefined && cpus % product !== 0)
    gathering.refuse(at, `${cpus} is not a multiple of ${product} (sockets × cores × threads)`);
  if (gathering.problems.length > 0) return gathering.problems;
  const { cpus: _, ...rest } = topology;
  return { cpus: cpus ?? product, ...rest };
}
