import { opt } from '../qemu/opt.ts';
import { shellLine } from '../shell.ts';

/** `--disk FILE,key=value`, ready for a shell. */
export function diskOption(file: string, props: Readonly<Record<string, string>>): string {
  return shellLine(['--disk', opt(file.replaceAll(',', ',,'), props)]);
}
