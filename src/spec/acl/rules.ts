/** The rules of bridge.conf and of all it includes, as the helper gathers them. */
import { type AclError, type AclVerb, parseAcl } from './statement.ts';

/** latin1; `why` says why there is nothing: the helper does not tell one reason from another. */
export type AclSource = { readonly text: string } | { readonly why: string };
export type ReadAcl = (path: string) => AclSource;

export interface AclPlace {
  /** latin1, as all texts here. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

export interface AclRule extends AclPlace {
  readonly verb: AclVerb;
  readonly bridge: string;
}

export interface AclInclude extends AclPlace {
  readonly path: string;
  /**
   * read: its rules count. again: they counted before. loop: it is being read already. unread: the helper goes on
   * without it, `why` tells why. broken: what stands before its error counts.
   */
  readonly state: 'read' | 'again' | 'loop' | 'unread' | 'broken';
  readonly why?: string;
}

export type AclFailure = AclPlace & AclError;

export interface AclRules {
  readonly file: string;
  /** In the order of reading, which means nothing to the helper. */
  readonly rules: readonly AclRule[];
  readonly includes: readonly AclInclude[];
  /** The whole file is lost: nobody may use any bridge. Line 0: it can not be read. */
  readonly failure?: AclFailure;
  /** Errors in included files: said by the helper, and passed over. */
  readonly broken: readonly AclFailure[];
}

/**
 * How deep includes go before the helper has no descriptor left for the next: RLIMIT_NOFILE is 1024, and a few are
 * taken by whoever starts it. With a higher limit a loop ends in a crash: its stack is full near 2000.
 */
const MAX_DEPTH = 1000;

/** A relative include is looked up in the helper's working directory, which is QEMU's: `read` does the same. */
export function readRules(file: string, read: ReadAcl): AclRules {
  const found: Found = { rules: [], includes: [], broken: [] };
  const failure = gather(file, { read, found, depth: 1, stack: new Set([file]), seen: new Map([[file, 1]]) });
  return { file, ...found, ...(failure === undefined ? {} : { failure }) };
}

interface Found {
  readonly rules: AclRule[];
  readonly includes: AclInclude[];
  readonly broken: AclFailure[];
}

interface Walk {
  readonly read: ReadAcl;
  readonly found: Found;
  readonly depth: number;
  readonly stack: ReadonlySet<string>;
  /** How deep a file was met. Rules only add up, so reading it again tells nothing new unless more depth is left. */
  readonly seen: Map<string, number>;
}

function gather(file: string, walk: Walk): AclFailure | undefined {
  const source = walk.read(file);
  if ('why' in source) return { file, line: 0, says: '', why: source.why };
  for (const { line, meaning } of parseAcl(source.text)) {
    if (meaning.kind === 'error') return { file, line, says: meaning.says, why: meaning.why };
    if (meaning.kind === 'rule') {
      walk.found.rules.push({ file, line, verb: meaning.verb, bridge: meaning.bridge });
    } else if (meaning.kind === 'include') {
      // In its place before those that it includes itself.
      const at = walk.found.includes.push({ file, line, path: meaning.path, state: 'read' }) - 1;
      walk.found.includes[at] = { file, line, path: meaning.path, ...include(meaning.path, walk) };
    }
  }
  return undefined;
}

function include(path: string, walk: Walk): Pick<AclInclude, 'state' | 'why'> {
  const { found, stack, seen } = walk;
  const depth = walk.depth + 1;
  if (stack.has(path)) return { state: 'loop' };
  const before = seen.get(path);
  if (before !== undefined && before <= depth) return { state: 'again' };
  if (depth > MAX_DEPTH) return { state: 'unread', why: `includes go deeper than ${MAX_DEPTH} files` };
  seen.set(path, depth);
  const failure = gather(path, { ...walk, depth, stack: new Set([...stack, path]) });
  if (failure === undefined) return { state: 'read' };
  if (failure.line === 0) return { state: 'unread', why: failure.why };
  found.broken.push(failure);
  return { state: 'broken', why: `line ${failure.line}: ${failure.why}` };
}
