/**
 * A machine in memory that reacts as the kernel and iproute2 do, as far as our plans can see: test/contract.ts runs
 * against it and against the real one. Error texts are those of iproute2 6.1 on Linux 6.18.
 */
import type { Machine, RunResult, Store } from '../src/host/port.ts';
import { FakeFiles } from './fake-files.ts';
import { FakeLinks } from './fake-links.ts';
import { FakeModules } from './fake-modules.ts';

export interface FakeHost {
  readonly machine: Machine;
  /** Every command line that was run, in order. */
  readonly log: string[];
  readonly links: FakeLinks;
  readonly files: FakeFiles;
  readonly modules: FakeModules;
  /** Everything that counts for "as before", as text. */
  state(): string;
}

const TOOLS = ['ip', 'bridge', 'nft', 'modprobe', 'sh'];

export function fakeHost(): FakeHost {
  const links = new FakeLinks();
  const files = new FakeFiles();
  const modules = new FakeModules();
  const log: string[] = [];
  const run = (argv: readonly string[], stdin: string): Partial<RunResult> => {
    const [program = '', ...words] = argv;
    const tool = program.slice(program.lastIndexOf('/') + 1);
    if (tool === 'ip') return words[0] === '-batch' ? links.batch(stdin) : links.command(words);
    if (tool === 'modprobe') return modules.command(words);
    if (tool === 'nft')
      return words[1] === 'ruleset' ? {} : { status: 1, stderr: 'Error: No such file or directory\n' };
    if (tool === 'sh') return { status: Number(/^exit (\d+)$/.exec(words[1] ?? '')?.[1] ?? 0) };
    return { status: null, stderr: `spawn ${program} ENOENT` };
  };
  const machine: Machine = {
    async run(argv, options) {
      log.push(argv.join(' '));
      return {
        status: 0,
        signal: null,
        stdout: '',
        stderr: '',
        timedOut: false,
        ...run(argv, options?.stdin ?? ''),
      };
    },
    read: async (path) => modules.read(path) ?? links.read(path),
    write: async (path, value) => links.write(path, value),
    stat: async (path) => modules.stat(path) ?? files.stat(path),
    list: async (path) => links.list(path) ?? files.list(path),
    capture: async (path) => files.capture(path),
    sha256: async (path) => files.sha256(path),
    place: async (path, temp, file) => files.place(path, temp, file),
    placeNew: async (path, temp, file) => files.placeNew(path, temp, file),
    unlink: async (path) => files.unlink(path),
    mkdir: async (path, mode, owner) => files.mkdir(path, mode, owner),
    rmdir: async (path) => files.rmdir(path),
    rename: async (from, to) => files.rename(from, to),
    which: async (program) => {
      const name = program.slice(program.lastIndexOf('/') + 1);
      return TOOLS.includes(name) ? `/usr/sbin/${name}` : undefined;
    },
  };
  const state = (): string => [links, files, modules].map((part) => part.state()).join('\n');
  return { machine, log, links, files, modules, state };
}

/** A store in memory; `files` may be cut and bent by a test. */
export function memoryStore(
  files: Map<string, string> = new Map(),
): Store & { readonly files: Map<string, string> } {
  return {
    files,
    list: () => [...files.keys()].sort(),
    read: (name) => files.get(name),
    replace: (name, text) => void files.set(name, text),
    remove: (name) => void files.delete(name),
    sweep: () => undefined,
    path: (name) => `/memory/${name}`,
  };
}
