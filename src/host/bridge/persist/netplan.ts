/** YAML files of netplan that count: netplan-generate(8), "files with the same name in a higher directory". */
import type { Machine } from '../../port.ts';

interface ConfigText {
  readonly path: string;
  readonly content: string;
}

const DIRS = ['/etc', '/run', '/lib'].map((dir) => `${dir}/netplan`);

/** In the order of their names. */
export async function netplanFilesNow(machine: Machine): Promise<readonly ConfigText[]> {
  const first = new Map<string, string>();
  for (const dir of DIRS)
    for (const name of (await machine.list(dir)) ?? [])
      if (name.endsWith('.yaml') && !first.has(name)) first.set(name, `${dir}/${name}`);
  const found: ConfigText[] = [];
  for (const [, path] of [...first].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const captured = await machine.capture(path);
    if (captured !== undefined && 'content' in captured && captured.base64 !== true)
      found.push({ path, content: captured.content });
  }
  return found;
}
