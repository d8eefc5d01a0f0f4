/** Kernel modules in memory: modprobe, and what /sys/module shows. */
import type { FileStat, RunResult } from '../src/host/port.ts';

const INSTALLED = ['tun', 'vfio-pci'];
const underscored = (name: string): string => name.replaceAll('-', '_');

export class FakeModules {
  /** Name as in /sys/module → its users. */
  readonly loaded: Map<string, number> = new Map();

  command(words: readonly string[]): Partial<RunResult> {
    const name = words.at(-1) ?? '';
    if (!INSTALLED.includes(name)) {
      return {
        status: 1,
        stderr: `modprobe: FATAL: Module ${name} not found in directory /lib/modules/6.18\n`,
      };
    }
    const there = this.loaded.has(underscored(name));
    if (words[0] !== '-r' && !there) this.loaded.set(underscored(name), 0);
    if (words[0] !== '-r') return {};
    if (this.loaded.get(underscored(name))) {
      return { status: 1, stderr: `modprobe: FATAL: Module ${underscored(name)} is in use.\n` };
    }
    this.loaded.delete(underscored(name));
    return {};
  }

  stat(path: string): FileStat | undefined {
    const name = /^\/sys\/module\/([^/]+)$/.exec(path)?.[1] ?? '';
    return this.loaded.has(name) ? { kind: 'directory', inode: `2:${name}` } : undefined;
  }

  read(path: string): string | undefined {
    const name = /^\/sys\/module\/([^/]+)\/refcnt$/.exec(path)?.[1] ?? '';
    return this.loaded.get(name)?.toString();
  }

  state(): string {
    return [...this.loaded.keys()]
      .sort()
      .map((name) => `module ${name}`)
      .join('\n');
  }
}
