/** What Machine promises. Run against the fake and against the real kernel: a fake that differs hides bugs. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Machine, RunResult } from '../src/host/port.ts';
import type { Argv } from '../src/plan/step.ts';

export interface Contracted {
  readonly machine: Machine;
  /** A directory to play in. */
  readonly directory: string;
  readonly end: () => void;
}

/** `begin` gives a machine without links but lo. */
export function contract(name: string, begin: () => Contracted): void {
  describe(name, () => {
    let here: Contracted;
    const ip = (...words: string[]): Promise<RunResult> =>
      here.machine.run(['ip', ...words] as unknown as Argv);
    const batch = (...lines: string[]): Promise<RunResult> =>
      here.machine.run(['ip', '-batch', '-'], { stdin: lines.map((line) => `${line}\n`).join('') });
    const names = async (): Promise<readonly string[]> => {
      const rows = JSON.parse((await ip('-j', 'link', 'show')).stdout) as { ifname: string }[];
      return rows.map((row) => row.ifname).sort();
    };
    const link = async (dev: string): Promise<Record<string, unknown>> =>
      (
        JSON.parse((await ip('-j', '-d', 'link', 'show', 'dev', dev)).stdout) as Record<string, unknown>[]
      )[0] ?? {};
    const code = (work: Promise<unknown>): Promise<unknown> =>
      work.then(
        () => 'no error',
        (error: { code?: string }) => error.code,
      );

    beforeEach(() => {
      here = begin();
    });
    afterEach(() => here.end());

    test.each([
      [
        'a second link of a name',
        ['link', 'add', 'name', 'c1', 'type', 'bridge'],
        2,
        'RTNETLINK answers: File exists',
      ],
      [
        'a name that is too long',
        ['link', 'add', 'name', 'abcdefghijklmnop', 'type', 'bridge'],
        255,
        'Error: argument "abcdefghijklmnop" is wrong: "name" not a valid ifname',
      ],
      [
        'a type nobody knows',
        ['link', 'add', 'name', 'c3', 'type', 'nosuch'],
        2,
        'Error: Unknown device type.',
      ],
      ['a link that is not there', ['link', 'set', 'dev', 'nope', 'up'], 1, 'Cannot find device "nope"'],
      [
        'a name that is taken',
        ['link', 'set', 'dev', 'c1', 'name', 'c2'],
        2,
        'RTNETLINK answers: File exists',
      ],
      [
        'a bridge that is not there',
        ['link', 'set', 'dev', 'c1', 'master', 'nope'],
        255,
        'Error: argument "nope" is wrong: Device does not exist',
      ],
      [
        'a bridge in a bridge',
        ['link', 'set', 'dev', 'c1', 'master', 'c2'],
        2,
        'Error: Can not enslave a bridge to a bridge.',
      ],
      [
        'lo in a bridge',
        ['link', 'set', 'dev', 'lo', 'master', 'c2'],
        2,
        'RTNETLINK answers: Invalid argument',
      ],
      ['deleting what is gone', ['link', 'delete', 'dev', 'nope'], 1, 'Cannot find device "nope"'],
      ['deleting lo', ['link', 'delete', 'dev', 'lo'], 2, 'RTNETLINK answers: Operation not supported'],
      ['showing what is gone', ['-j', 'link', 'show', 'dev', 'nope'], 1, 'Device "nope" does not exist.'],
    ])('refuses %s', async (_what: string, words: string[], status: number, text: string) => {
      await batch('link add name c1 type bridge', 'link add name c2 type bridge');
      const result = await ip(...words);
      expect({ status: result.status, stderr: result.stderr.trim() }).toEqual({ status, stderr: text });
      expect(await names()).toEqual(['c1', 'c2', 'lo']);
    });

    test('a link keeps its MAC and its mark through a rename, with its attributes', async () => {
      const made = await batch(
        'link add name c1 address 02:71:6c:00:00:01 type bridge',
        'link set dev c1 alias "a b\'c"',
        'link set dev c1 name c9',
        'link set dev c9 up',
      );
      expect(made).toMatchObject({ status: 0, stderr: '' });
      expect(await link('c9')).toMatchObject({
        address: '02:71:6c:00:00:01',
        ifalias: "a b'c",
        linkinfo: { info_kind: 'bridge' },
      });
      expect((await link('c9'))['flags']).toContain('UP');
      expect(await here.machine.read('/proc/sys/net/ipv4/conf/c1/forwarding')).toBeUndefined();
      expect(await here.machine.read('/proc/sys/net/ipv4/conf/c9/forwarding')).toBe('0');
    });

    test('a batch stops at the line that fails, names it, and keeps what went before', async () => {
      const result = await batch(
        'link add name c1 type bridge',
        'link set dev nope up',
        'link add name c2 type bridge',
      );
      expect(result.status).toBe(1);
      expect(result.stderr).toBe('Cannot find device "nope"\nCommand failed -:2\n');
      expect(await names()).toEqual(['c1', 'lo']);
    });

    test('a mistake of usage ends a batch without naming the line', async () => {
      const result = await batch('link add name c1 type bridge', 'link set dev c1 master nope');
      expect(result.status).toBe(255);
      expect(result.stderr).not.toContain('Command failed');
      expect(await names()).toEqual(['c1', 'lo']);
    });

    test('an attribute: absent, written, refused', async () => {
      const path = '/proc/sys/net/ipv4/conf/lo/rp_filter';
      const before = (await here.machine.read(path)) ?? '';
      expect(await here.machine.read('/proc/sys/net/ipv4/conf/nope/rp_filter')).toBeUndefined();
      expect(await code(here.machine.write('/proc/sys/net/ipv4/conf/nope/rp_filter', '1'))).toBe('ENOENT');
      expect(await code(here.machine.write(path, 'abc'))).toBe('EINVAL');
      await here.machine.write(path, '2');
      expect(await here.machine.read(path)).toBe('2');
      await here.machine.write(path, before);
    });

    test.each(['ipv4', 'ipv6'])(
      'switching %s forwarding on and off drags the others along',
      async (family: string) => {
        const master =
          family === 'ipv4' ? '/proc/sys/net/ipv4/ip_forward' : '/proc/sys/net/ipv6/conf/all/forwarding';
        const read = (name: string, what: string): Promise<string | undefined> =>
          here.machine.read(`/proc/sys/net/${family}/conf/${name}/${what}`);
        await ip('link', 'add', 'name', 'c1', 'type', 'bridge');
        await here.machine.write(`/proc/sys/net/${family}/conf/c1/forwarding`, '1');
        await here.machine.write(master, '1');
        for (const name of ['all', 'default', 'lo', 'c1']) expect(await read(name, 'forwarding')).toBe('1');
        if (family === 'ipv4') expect(await read('all', 'accept_redirects')).toBe('0');
        await ip('link', 'add', 'name', 'c2', 'type', 'bridge');
        expect(await read('c2', 'forwarding')).toBe('1');
        await here.machine.write(master, '0');
        for (const name of ['all', 'default', 'lo', 'c1', 'c2'])
          expect(await read(name, 'forwarding')).toBe('0');
        if (family === 'ipv4') expect(await read('all', 'accept_redirects')).toBe('1');
      },
    );

    test('/sys numbers a link as ip does', async () => {
      await ip('link', 'add', 'name', 'c1', 'type', 'bridge');
      expect(await here.machine.read('/sys/class/net/c1/ifindex')).toBe(`${(await link('c1'))['ifindex']}`);
    });

    test('a file is put in place, captured, put back and removed', async () => {
      const { machine, directory } = here;
      const [path, temp] = [`${directory}/a`, `${directory}/.a.temp`];
      await machine.placeNew(path, temp, { content: 'one\n', mode: 0o640 });
      const before = await machine.capture(path);
      expect(before).toMatchObject({ content: 'one\n', mode: 0o640 });
      await machine.placeNew(path, temp, { content: 'two\n', mode: 0o600 });
      expect(await machine.sha256(path)).toBe(
        '27dd8ed44a83ff94d557f9fd0412ed5a8cbca69ea04922d88c01184a07300a5a',
      );
      if (before !== undefined) await machine.place(path, temp, before);
      expect(await machine.capture(path)).toEqual(before);
      expect(await machine.stat(temp)).toBeUndefined();
      expect([await machine.unlink(path), await machine.unlink(path)]).toEqual([true, false]);
      await machine.place(path, temp, { linkTo: 'nowhere' });
      expect(await machine.stat(path)).toMatchObject({ kind: 'link' });
      expect(await machine.capture(path)).toEqual({ linkTo: 'nowhere' });
      expect(
        await code(machine.placeNew(`${directory}/no/b`, `${directory}/no/.b`, { content: '', mode: 0o644 })),
      ).toBe('ENOENT');
    });

    test('a directory is made, keeps its inode through a rename, and goes only when empty', async () => {
      const { machine, directory } = here;
      await machine.mkdir(`${directory}/d1`, 0o750);
      const made = await machine.stat(`${directory}/d1`);
      await machine.rename(`${directory}/d1`, `${directory}/d2`);
      expect(await machine.stat(`${directory}/d2`)).toEqual(made);
      expect(await code(machine.mkdir(`${directory}/d2`, 0o755))).toBe('EEXIST');
      await machine.placeNew(`${directory}/d2/f`, `${directory}/d2/.f`, { content: '', mode: 0o644 });
      expect(await machine.list(`${directory}/d2`)).toEqual(['f']);
      expect(await code(machine.rmdir(`${directory}/d2`))).toBe('ENOTEMPTY');
      await machine.unlink(`${directory}/d2/f`);
      expect([await machine.rmdir(`${directory}/d2`), await machine.rmdir(`${directory}/d2`)]).toEqual([
        true,
        false,
      ]);
      expect(await machine.list(`${directory}/d2`)).toBeUndefined();
    });

    test('a program that is not there is no exception', async () => {
      expect(await here.machine.run(['qlaunch-no-such-program'])).toMatchObject({
        status: null,
        signal: null,
        timedOut: false,
      });
      expect(await here.machine.which('qlaunch-no-such-program')).toBeUndefined();
      expect(await here.machine.which('ip')).toMatch(/^\/.*\/ip$/);
    });
  });
}
