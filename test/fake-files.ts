/** Ordinary files in memory: what Machine promises of them, with the kernel's errno. */
import { createHash } from 'node:crypto';
import type { FileStat } from '../src/host/port.ts';
import type { FileContent, FileOwner } from '../src/plan/step.ts';
import type { FileBefore } from '../src/plan/undo.ts';

type Node =
  | { readonly kind: 'directory'; readonly inode: string; readonly mode: number; readonly owner: FileOwner }
  | { readonly kind: 'file' | 'link'; readonly inode: string; readonly file: FileBefore };

const errno = (code: string, path: string): Error =>
  Object.assign(new Error(`${code}: ${path}`), { code, path });
const ROOT: FileOwner = { uid: 0, gid: 0 };

export class FakeFiles {
  readonly #nodes = new Map<string, Node>();
  #inodes = 0;

  constructor() {
    for (const path of ['/', '/etc', '/var', '/run']) this.#make(path);
  }

  stat(path: string): FileStat | undefined {
    const node = this.#nodes.get(path);
    return node && { kind: node.kind, inode: node.inode };
  }

  list(path: string): readonly string[] | undefined {
    return this.#nodes.get(path)?.kind === 'directory' ? this.#childrenOf(path).sort() : undefined;
  }

  capture(path: string): FileBefore | undefined {
    const node = this.#nodes.get(path);
    if (node === undefined) return undefined;
    if (node.kind === 'directory') throw errno('EINVAL', path);
    return node.file;
  }

  sha256(path: string): string | undefined {
    const node = this.#nodes.get(path);
    if (node?.kind !== 'file' || !('content' in node.file)) return undefined;
    return createHash('sha256')
      .update(node.file.content, node.file.base64 === true ? 'base64' : 'utf8')
      .digest('hex');
  }

  place(path: string, temp: string, file: FileBefore): void {
    this.#nodes.delete(temp);
    this.#put(temp, file);
    this.rename(temp, path);
  }

  placeNew(path: string, temp: string, { owner = ROOT, ...file }: FileContent): void {
    this.place(path, temp, { ...file, owner, mtimeMs: 0 });
  }

  unlink(path: string): boolean {
    if (this.#nodes.get(path)?.kind === 'directory') throw errno('EISDIR', path);
    return this.#nodes.delete(path);
  }

  mkdir(path: string, mode: number, owner: FileOwner = ROOT): void {
    if (this.#nodes.has(path)) throw errno('EEXIST', path);
    this.#checkParent(path);
    this.#make(path, mode, owner);
  }

  rmdir(path: string): boolean {
    const node = this.#nodes.get(path);
    if (node === undefined) return false;
    if (node.kind !== 'directory') throw errno('ENOTDIR', path);
    if (this.#childrenOf(path).length > 0) throw errno('ENOTEMPTY', path);
    return this.#nodes.delete(path);
  }

  rename(from: string, to: string): void {
    const node = this.#nodes.get(from);
    if (node === undefined) throw errno('ENOENT', from);
    this.#checkParent(to);
    const there = this.#nodes.get(to);
    if (there?.kind === 'directory' && node.kind !== 'directory') throw errno('EISDIR', to);
    this.#nodes.delete(from);
    this.#nodes.set(to, node);
  }

  state(): string {
    const lines = [...this.#nodes].map(([path, { inode: _, ...node }]) => `${path} ${JSON.stringify(node)}`);
    return lines.sort().join('\n');
  }

  /** For a test that plays a stranger. */
  stranger(path: string, content: string): void {
    this.#nodes.delete(path);
    this.#put(path, { content, mode: 0o644, owner: ROOT, mtimeMs: 1 });
  }

  #put(path: string, file: FileBefore): void {
    this.#checkParent(path);
    if (this.#nodes.has(path)) throw errno('EEXIST', path);
    this.#inodes += 1;
    this.#nodes.set(path, { kind: 'linkTo' in file ? 'link' : 'file', inode: `1:${this.#inodes}`, file });
  }

  #make(path: string, mode: number = 0o755, owner: FileOwner = ROOT): void {
    this.#inodes += 1;
    this.#nodes.set(path, { kind: 'directory', inode: `1:${this.#inodes}`, mode, owner });
  }

  #checkParent(path: string): void {
    const parent = path.slice(0, path.lastIndexOf('/')) || '/';
    const node = this.#nodes.get(parent);
    if (node === undefined) throw errno('ENOENT', path);
    if (node.kind !== 'directory') throw errno('ENOTDIR', path);
  }

  #childrenOf(path: string): string[] {
    const prefix = path === '/' ? '/' : `${path}/`;
    const below = [...this.#nodes.keys()].filter((one) => one.startsWith(prefix) && one !== path);
    return below.map((one) => one.slice(prefix.length)).filter((name) => !name.includes('/') && name !== '');
  }
}
