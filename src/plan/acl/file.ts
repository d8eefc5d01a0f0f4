/** bridge.conf on the disk: made, or edited in place. */
import { dirname } from 'node:path';
import { makeDirectory } from '../files.ts';
import { DEADLINE_MS, type FileContent, type FileOwner, type FilePath, type Step } from '../step.ts';

export interface AclFileMode {
  readonly mode: number;
  readonly owner?: FileOwner;
}

/** The helper of the distribution tells: one for a group only (4750 root:kvm) goes with a list for that group only. */
export function usualMode(helper: { readonly mode: number; readonly gid: number } | undefined): AclFileMode {
  const gid = helper === undefined || (helper.mode & 0o001) !== 0 ? 0 : helper.gid;
  return { mode: gid === 0 ? 0o644 : 0o640, owner: { uid: 0, gid } };
}

/** @param path absolute @param text latin1 */
export function newAclFile(path: string, text: string, rights: AclFileMode): readonly Step[] {
  return [makeDirectory(dirname(path) as FilePath), put(path, { ...asContent(text), ...rights })];
}

/** @param path the real one @param text latin1 */
export function replaceAclFile(path: string, text: string, rights: AclFileMode): Step {
  return put(path, { ...asContent(text), ...rights, keep: true });
}

function put(path: string, file: FileContent): Step {
  return {
    title: `write ${path}`,
    do: { file: path as FilePath, ...file },
    undo: { restore: true },
    deadlineMs: DEADLINE_MS,
  };
}

function asContent(latin1: string): Pick<FileContent, 'content' | 'base64'> {
  const bytes = Buffer.from(latin1, 'latin1');
  const text = bytes.toString('utf8');
  return Buffer.from(text, 'utf8').equals(bytes)
    ? { content: text }
    : { content: bytes.toString('base64'), base64: true };
}
