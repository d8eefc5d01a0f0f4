/** qemu-img's command lines. Paths are absolute, so that none is read as an option or a protocol. */
import type { Argv } from '../step.ts';

export type NewFormat = 'qcow2' | 'raw';

/** Of a new image whose format was not said: an ending that names one is a promise to other programs. */
export function usualFormat(file: string): NewFormat {
  return file.toLowerCase().endsWith('.raw') ? 'raw' : 'qcow2';
}

export interface CreateLine {
  readonly qemuImg: string;
  readonly file: string;
  readonly format: NewFormat;
  /** undefined: as large as the backing file. */
  readonly sizeBytes?: number;
  readonly backing?: { readonly name: string; readonly format: string };
}

/** A raw disk is sparse, as `dd if=/dev/zero of=FILE bs=1 count=0 seek=SIZE` makes it. */
export function createArgv({ qemuImg, file, format, sizeBytes, backing }: CreateLine): Argv {
  return [
    qemuImg,
    ...['create', '-q', '-f', format],
    // qemu-img 6.1 and later want the format said: probing a raw backing file is how a guest gets out of it.
    ...(backing === undefined ? [] : ['-b', backing.name, '-F', backing.format]),
    file,
    ...(sizeBytes === undefined ? [] : [String(sizeBytes)]),
  ];
}

export interface ResizeLine {
  readonly qemuImg: string;
  readonly file: string;
  readonly format: string;
  readonly sizeBytes: number;
  readonly shrink: boolean;
}

export function resizeArgv({ qemuImg, file, format, sizeBytes, shrink }: ResizeLine): Argv {
  return [qemuImg, 'resize', '-q', '-f', format, ...(shrink ? ['--shrink'] : []), file, String(sizeBytes)];
}
