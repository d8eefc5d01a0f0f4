/** Managers keep what they know of a link by its index. */
import type { Host } from '../port.ts';

/** undefined: there is no such link. */
export async function ifindexOf(host: Host, link: string): Promise<number | undefined> {
  const text = await host.read(`/sys/class/net/${link}/ifindex`);
  return text === undefined ? undefined : Number(text);
}
