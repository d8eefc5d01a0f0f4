/** Links and their attributes in memory: `ip link` as iproute2 6.1 answers, /proc/sys/net as 6.18 reacts. */
import type { RunResult } from '../src/host/port.ts';

interface Link {
  readonly ifindex: number;
  readonly kind: string | undefined;
  address: string;
  alias?: string;
  master?: string;
  up: boolean;
  mtu: number;
}

type Answer = Pick<RunResult, 'status' | 'stderr'> & { readonly stdout?: string };
const OK: Answer = { status: 0, stderr: '' };
const kernel = (text: string): Answer => ({ status: 2, stderr: `${text}\n` });
const usage = (text: string): Answer => ({ status: 255, stderr: `Error: ${text}\n\n` });
const absent = (name: string): Answer => ({ status: 1, stderr: `Cannot find device "${name}"\n` });

/** Of each interface, and of all and default: the value a new namespace has. */
const CONF: Readonly<Record<string, string>> = {
  'ipv4 forwarding': '0',
  'ipv4 accept_redirects': '1',
  'ipv4 rp_filter': '0',
  'ipv6 forwarding': '0',
  'ipv6 accept_ra': '1',
};
const FORWARD = '/proc/sys/net/ipv4/ip_forward';

export class FakeLinks {
  readonly #links = new Map<string, Link>();
  readonly #values = new Map<string, string>([[FORWARD, '0']]);
  #count = 0;

  constructor() {
    for (const name of ['all', 'default']) this.#addConf(name);
    this.#add('lo', undefined, '00:00:00:00:00:00');
  }

  batch(text: string): Answer {
    const lines = text.split('\n').filter((line) => line !== '');
    for (const [index, line] of lines.entries()) {
      const words = [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, a, b, c]) => a ?? b ?? c ?? '');
      const answer = this.command(words);
      // A mistake of usage ends the whole program at once, without a line number.
      if (answer.status === 255) return answer;
      if (answer.status !== 0)
        return { status: 1, stderr: `${answer.stderr}Command failed -:${index + 1}\n` };
    }
    return OK;
  }

  command(all: readonly string[]): Answer {
    const words = all.filter((word) => !word.startsWith('-'));
    const [object, verb, ...rest] = words;
    if (object === 'address' && verb === 'show') return { ...OK, stdout: this.#json() };
    if (object !== 'link') return usage(`Object "${object}" is unknown, try "ip help".`);
    if (verb === 'show') return this.#show(after(rest, 'dev'));
    if (verb === 'add')
      return this.#addLink(after(rest, 'name') ?? '', after(rest, 'type'), after(rest, 'address'));
    const name = after(rest, 'dev') ?? '';
    if (verb === 'delete') return this.#delete(name);
    return verb === 'set'
      ? this.#set(name, rest.slice(2))
      : usage(`Command "${verb}" is unknown, try "ip link help".`);
  }

  read(path: string): string | undefined {
    const name = /^\/sys\/class\/net\/([^/]+)\/ifindex$/.exec(path)?.[1];
    const link = name === undefined ? undefined : this.#links.get(name);
    return link === undefined ? this.#values.get(path) : `${link.ifindex}`;
  }

  write(path: string, value: string): void {
    if (!this.#values.has(path)) throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' });
    if (!/^\s*-?\d+\s*$/.test(value)) throw Object.assign(new Error(`EINVAL: ${path}`), { code: 'EINVAL' });
    const [was, is] = [this.#values.get(path), value.trim()];
    this.#values.set(path, is);
    if (was === is) return;
    if (path === FORWARD || path === conf('ipv4', 'all', 'forwarding')) this.#forwardAll('ipv4', is);
    if (path === conf('ipv6', 'all', 'forwarding')) this.#forwardAll('ipv6', is);
  }

  list(path: string): readonly string[] | undefined {
    const prefix = `${path}/`;
    const names = [...this.#values.keys()].flatMap((one) =>
      one.startsWith(prefix) ? [one.slice(prefix.length).split('/')[0] ?? ''] : [],
    );
    return names.length === 0 ? undefined : [...new Set(names)].sort();
  }

  /** Numbers of links are not part of it: they never come back. */
  state(): string {
    const links = [...this.#links].map(
      ([name, { ifindex: _, ...link }]) => `${name} ${JSON.stringify(link)}`,
    );
    return [...links, ...[...this.#values].map(([path, value]) => `${path} ${value}`)].sort().join('\n');
  }

  #show(name: string | undefined): Answer {
    if (name !== undefined && !this.#links.has(name))
      return { status: 1, stderr: `Device "${name}" does not exist.\n` };
    return { ...OK, stdout: this.#json(name) };
  }

  #json(only?: string): string {
    const shown = [...this.#links].filter(([name]) => only === undefined || name === only);
    const rows = shown.map(([ifname, { kind, alias, master, up, ...link }]) => ({
      ifname,
      flags: up ? ['UP'] : [],
      link_type: ifname === 'lo' ? 'loopback' : 'ether',
      ...link,
      ...(kind === undefined ? {} : { linkinfo: { info_kind: kind } }),
      ...(alias === undefined ? {} : { ifalias: alias }),
      ...(master === undefined ? {} : { master }),
    }));
    return JSON.stringify(rows);
  }

  #addLink(name: string, kind: string | undefined, address: string | undefined): Answer {
    if (!isName(name)) return usage(`argument "${name}" is wrong: "name" not a valid ifname`);
    // The kernel looks up the name before the type.
    if (this.#links.has(name)) return kernel('RTNETLINK answers: File exists');
    if (kind !== 'bridge') return kernel('Error: Unknown device type.');
    this.#add(name, kind, address ?? `aa:00:00:00:00:${(this.#count + 16).toString(16)}`);
    return OK;
  }

  #delete(name: string): Answer {
    const link = this.#links.get(name);
    if (link === undefined) return absent(name);
    if (link.kind === undefined) return kernel('RTNETLINK answers: Operation not supported');
    this.#links.delete(name);
    for (const key of Object.keys(CONF)) this.#values.delete(confOf(key, name));
    for (const port of this.#links.values()) if (port.master === name) delete port.master;
    return OK;
  }

  #set(name: string, words: readonly string[]): Answer {
    const master = after(words, 'master');
    // ip looks up a master before it talks to the kernel about the link.
    const link = this.#links.get(name);
    if (link === undefined) return absent(name);
    if (master !== undefined && !this.#links.has(master))
      return usage(`argument "${master}" is wrong: Device does not exist`);
    const alias = after(words, 'alias');
    if (alias !== undefined) link.alias = alias;
    if (alias === '') delete link.alias;
    const newName = after(words, 'name');
    if (newName !== undefined) return this.#rename(name, newName, link);
    if (master !== undefined) {
      if (link.kind === 'bridge') return kernel('Error: Can not enslave a bridge to a bridge.');
      if (name === 'lo') return kernel('RTNETLINK answers: Invalid argument');
      link.master = master;
    }
    if (words.includes('nomaster')) delete link.master;
    if (words.includes('up')) link.up = true;
    if (words.includes('down')) link.up = false;
    return OK;
  }

  #rename(name: string, to: string, link: Link): Answer {
    if (this.#links.has(to)) return kernel('RTNETLINK answers: File exists');
    this.#links.delete(name);
    this.#links.set(to, link);
    for (const key of Object.keys(CONF)) {
      this.#values.set(confOf(key, to), this.#values.get(confOf(key, name)) ?? '');
      this.#values.delete(confOf(key, name));
    }
    return OK;
  }

  #add(name: string, kind: string | undefined, address: string): void {
    this.#count += 1;
    this.#links.set(name, { ifindex: this.#count, kind, address, up: false, mtu: 1500 });
    this.#addConf(name);
  }

  /** A new interface begins with the values of "default". */
  #addConf(name: string): void {
    for (const [key, value] of Object.entries(CONF)) {
      this.#values.set(confOf(key, name), this.#values.get(confOf(key, 'default')) ?? value);
    }
  }

  /** inet_forward_change() and addrconf_fixup_forwarding(). */
  #forwardAll(family: string, value: string): void {
    const on = value === '0' ? '0' : value;
    for (const name of ['all', 'default', ...this.#links.keys()])
      this.#values.set(conf(family, name, 'forwarding'), on);
    if (family !== 'ipv4') return;
    this.#values.set(FORWARD, on);
    this.#values.set(conf('ipv4', 'all', 'accept_redirects'), on === '0' ? '1' : '0');
  }
}

const isName = (name: string): boolean => /^[^\s/:]{1,15}$/.test(name);
const conf = (family: string, name: string, what: string): string =>
  `/proc/sys/net/${family}/conf/${name}/${what}`;
function confOf(key: string, name: string): string {
  const [family = '', what = ''] = key.split(' ');
  return conf(family, name, what);
}

/** The word that follows a keyword. */
function after(words: readonly string[], keyword: string): string | undefined {
  const at = words.indexOf(keyword);
  return at === -1 ? undefined : words[at + 1];
}
