/** Every file behind an image, each allowed to be there (plan/disk/reference.ts), none missing. */
import { dirname } from 'node:path';
import { diskOption } from '../../../plan/disk/disk-option.ts';
import { probeMagic } from '../../../plan/disk/magic.ts';
import { mayFollow, readReference } from '../../../plan/disk/reference.ts';
import { shellLine } from '../../../plan/shell.ts';
import type { Finding } from '../finding.ts';
import { type References, references } from './inspect.ts';
import { type ImageHead, type ImageTools, isHead, openImage } from './open.ts';

/** QEMU itself has no limit; nobody means more, and a loop must end. */
const MAX_FILES = 64;

export interface ChainRequest {
  /** As the user wrote it; for messages. */
  readonly name: string;
  readonly head: ImageHead;
  readonly format: string;
  readonly allow: readonly string[];
}

interface Link {
  readonly role: 'backing file' | 'data file';
  readonly text: string;
  readonly from: ImageHead;
  readonly format: string | undefined;
}

/** The files behind the image, nearest first; or the first thing that is wrong with one. */
export async function followChain(tools: ImageTools, request: ChainRequest): Promise<ImageHead[] | Finding> {
  const behind: ImageHead[] = [];
  const first = await links(tools, request.head, request.format);
  if (typeof first === 'string') return unreadable(request.name, first);
  const todo = [...first];
  for (let link = todo.shift(); link; link = todo.shift()) {
    const opened = await openLink(tools, request, link);
    // A driver that was allowed by name: nothing on this host to look at.
    if (opened === undefined) continue;
    if (!('bytes' in opened)) return opened;
    if (behind.length === MAX_FILES || [request.head, ...behind].some((seen) => seen.path === opened.path))
      return unreadable(request.name, `its chain of backing files comes back to ${opened.path}`);
    behind.push(opened);
    const format = link.format ?? probeMagic(opened.bytes);
    const more = link.role === 'data file' ? [] : await links(tools, opened, format);
    if (typeof more === 'string') return unreadable(opened.path, more);
    todo.push(...more);
  }
  return behind;
}

async function links(tools: ImageTools, head: ImageHead, format: string): Promise<Link[] | string> {
  const found: References | string = await references(tools, head, format);
  if (typeof found === 'string') return found;
  const data = found.dataFiles.map(
    (text) => ({ role: 'data file', text, from: head, format: 'raw' }) as const,
  );
  const { backing, backingFormat } = found;
  if (backing === undefined) return data;
  return [...data, { role: 'backing file', text: backing, from: head, format: backingFormat }];
}

/** undefined for something that is not a file of this host, and allowed. */
async function openLink(
  tools: ImageTools,
  { name, allow }: ChainRequest,
  link: Link,
): Promise<ImageHead | Finding | undefined> {
  const directory = dirname(link.from.path);
  const target = readReference(link.text, directory);
  const outside = (what: string): Finding => ({
    code: 'QL_DISK_BACKING',
    what: `${name} refers to ${what}`,
    why: [
      `as the ${link.role} of ${link.from.path}; an image may only use files beside it, others must be allowed by name`,
    ],
    todo: [
      shellLine(['qemu-img', 'info', '-U', '--backing-chain', link.from.path]),
      `${diskOption(name, { backing: what })}   # if you trust this image`,
    ],
  });
  if (target.kind === 'driver') return allow.includes(target.text) ? undefined : outside(target.text);
  const opened = await openImage(tools, target.path);
  if (isHead(opened)) return mayFollow(opened.path, directory, allow) ? opened : outside(opened.path);
  // What may not be followed is not even said to be missing.
  if (!mayFollow(target.path, directory, allow)) return outside(target.path);
  return {
    code: 'QL_DISK_BACKING',
    what: `the ${link.role} of ${name} cannot be opened`,
    why: [opened.words],
    todo: [
      shellLine(['namei', '-l', target.path]),
      `${shellLine(['qemu-img', 'rebase', '-u', '-b', 'NEW_PATH', '-F', link.format ?? 'qcow2', link.from.path])}   # if it was moved`,
    ],
  };
}

function unreadable(name: string, why: string): Finding {
  return { code: 'QL_DISK_DAMAGED', what: `${name} cannot be read as an image`, why: [why] };
}
