/**
 * Which format a disk has (design.md): the one given, else the one recorded at first use, else probed once and
 * recorded. A guest writes what it likes into a raw disk, also a qcow2 header that names a host file as its
 * backing file; so what was raw once stays raw, and one that now looks like something else is refused.
 */
import type { DiskFormat } from '../../spec/vm-spec.ts';
import { shellLine } from '../shell.ts';
import { diskOption } from './disk-option.ts';
import type { ProbedFormat } from './magic.ts';

export interface FormatFacts {
  readonly given?: DiskFormat;
  readonly recorded?: DiskFormat;
  readonly probed: ProbedFormat;
}

export type FormatDecision =
  | { readonly format: DiskFormat; readonly record: boolean; readonly note?: string }
  | { readonly refused: string; readonly cure: readonly string[] };

/** @param name how the disk is named to the user, e.g. the path he typed */
export function decideFormat(name: string, { given, recorded, probed }: FormatFacts): FormatDecision {
  if (given !== undefined) return decideGiven(name, given, probed, recorded);
  if (recorded === undefined) return decideFirst(name, probed);
  if (probed === recorded) return { format: recorded, record: false };
  if (recorded === 'raw')
    return {
      refused: `it was used as raw so far and now begins like ${aForm(probed)}: a guest can write such a header to reach files of this host`,
      cure: [
        `${diskOption(name, { format: 'raw' })}   # if the guest itself keeps an image in its disk`,
        ...(probed === 'other'
          ? []
          : [`${diskOption(name, { format: probed })}   # if you replaced the image yourself`]),
      ],
    };
  return {
    refused: `it was used as ${recorded} so far and now begins like ${aForm(probed)}`,
    cure: [
      `${diskOption(name, { format: probed === 'other' ? 'raw' : probed })}   # if you replaced the image yourself`,
    ],
  };
}

function decideGiven(
  name: string,
  given: DiskFormat,
  probed: ProbedFormat,
  recorded: DiskFormat | undefined,
): FormatDecision {
  const record = given !== recorded;
  if (probed === given) return { format: given, record };
  if (given === 'raw')
    return {
      format: 'raw',
      record,
      note: `${name} begins like ${aForm(probed)}, and the guest will see it so`,
    };
  // A VHD with a fixed size has its mark at the end: nothing at the beginning proves nothing.
  if (given === 'vpc' && probed === 'raw') return { format: 'vpc', record };
  const cure = probed === 'other' ? [] : [diskOption(name, { format: probed })];
  return { refused: `it is not in ${given} format; it begins like ${aForm(probed)}`, cure };
}

function decideFirst(name: string, probed: ProbedFormat): FormatDecision {
  const [, said] = /\.(qcow2|vmdk|vdi|vhdx)$/i.exec(name) ?? [];
  if (probed === 'raw' && said !== undefined)
    return {
      format: 'raw',
      record: true,
      note: `${name} is called ${said.toLowerCase()} but begins like no known image format; it is used as a raw disk`,
    };
  if (probed !== 'other') return { format: probed, record: true };
  return {
    refused: 'it begins like an image format that is not supported here (qcow1, qed, luks, parallels, bochs)',
    cure: [
      shellLine(['qemu-img', 'convert', '-O', 'qcow2', name, 'NEW.qcow2']),
      `${diskOption(name, { format: 'raw' })}   # if it is a raw disk after all`,
    ],
  };
}

function aForm(probed: ProbedFormat): string {
  if (probed === 'raw') return 'no known image format (raw)';
  return probed === 'other' ? 'an image of another format' : `a ${probed} image`;
}
