/** Files of the network scripts. */
import type { Machine } from '../../port.ts';

interface ConfigText {
  readonly path: string;
  readonly content: string;
}

/** What others left there, which nobody reads. */
const LEFT = /(~|\.(bak|orig|old|rpm(new|orig|save)))$/;

/** Those of links, their routes and their rules; undefined: this host has no such directory. */
export async function ifcfgFilesNow(
  machine: Machine,
  dir: string,
): Promise<readonly ConfigText[] | undefined> {
  const names = await machine.list(dir);
  if (names === undefined) return undefined;
  const found: ConfigText[] = [];
  for (const name of names.filter((one) => /^(ifcfg|route6?|rule6?)-/.test(one) && !LEFT.test(one))) {
    const captured = await machine.capture(`${dir}/${name}`);
    if (captured !== undefined && 'content' in captured && captured.base64 !== true)
      found.push({ path: `${dir}/${name}`, content: captured.content });
  }
  return found;
}
