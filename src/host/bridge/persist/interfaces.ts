/** /etc/network/interfaces and what it sources, in the order in which ifupdown reads them. */
import { dirname, isAbsolute, join } from 'node:path';
import { readInterfaces } from '../../../spec/bridge/interfaces.ts';
import type { Machine } from '../../port.ts';

interface ConfigText {
  readonly path: string;
  readonly content: string;
}

const MAIN = '/etc/network/interfaces';

/** Empty: this host has no ifupdown. */
export async function interfacesFiles(machine: Machine): Promise<readonly ConfigText[]> {
  const found: ConfigText[] = [];
  await readInto(machine, MAIN, found);
  return found;
}

async function readInto(machine: Machine, path: string, found: ConfigText[]): Promise<void> {
  // A file that sources itself is read once.
  if (found.some((one) => one.path === path)) return;
  const captured = await machine.capture(path);
  if (captured === undefined || !('content' in captured) || captured.base64 === true) return;
  found.push({ path, content: captured.content });
  for (const { words } of readInterfaces(captured.content)) {
    const [verb, pattern = ''] = words;
    if (verb !== 'source' && verb !== 'source-directory') continue;
    const at = isAbsolute(pattern) ? pattern : join(dirname(path), pattern);
    const names = verb === 'source' ? await glob(machine, at) : await inDirectory(machine, at);
    for (const name of names) await readInto(machine, name, found);
  }
}

/** `*` and `?` in the last part, as Debian's own line has it; wordexp(3) takes more, which nobody writes there. */
async function glob(machine: Machine, pattern: string): Promise<readonly string[]> {
  const [dir, name] = [dirname(pattern), pattern.slice(dirname(pattern).length + 1)];
  if (!/[*?]/.test(name)) return [pattern];
  const regex = new RegExp(
    `^${name
      .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
  );
  const names = (await machine.list(dir)) ?? [];
  return names.filter((one) => regex.test(one) && !one.startsWith('.')).map((one) => join(dir, one));
}

/** interfaces(5): only names of letters, digits, - and _. */
async function inDirectory(machine: Machine, dir: string): Promise<readonly string[]> {
  const names = (await machine.list(dir)) ?? [];
  return names.filter((one) => /^[a-zA-Z0-9_-]+$/.test(one)).map((one) => join(dir, one));
}
