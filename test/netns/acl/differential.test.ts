/**
 * Thousands of files through QEMU's own helper and through our reading of them: the same verdict, the same failures,
 * the same words. The helper runs as nobody (so that a file can be unreadable), with 1024 open files (an include that
 * loops crashes it above), and with /dev/null for a tun device (a real one would have to be made and taken away).
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readAcl } from '../../../src/host/acl/read.ts';
import type { Identity } from '../../../src/host/vm/user.ts';
import { decide } from '../../../src/spec/acl/decide.ts';
import { toAclBytes } from '../../../src/spec/acl/names.ts';
import { aclText, aclTextOf, bridgeName } from '../../unit/spec/acl/arbitrary.ts';
import { HELPER, sh } from './place.ts';

const CASES = 4000;
/** Chains of includes: as many as the helper can certainly open, and more than it can. */
const DEEP = [1000, 1022];
const NOBODY = 65534;
const nobody: Identity = {
  user: { uid: NOBODY, gid: NOBODY, name: 'nobody', home: '/' },
  dropTo: true,
  root: true,
};

/** Name → content. `dir`: a directory; `secret`: not to be read by nobody. */
type Content = { readonly text: string } | { readonly secret: string } | 'dir';
interface Case {
  readonly files: Readonly<Record<string, Content>>;
  readonly bridge: string;
}

/** UTF-8 on the disk. */
const CAFE = 'café.conf';
const NAMES = [CAFE, 'a.conf', 'b.conf', 'with space.conf', 'secret.conf', 'sub', 'missing.conf'];
const includes = fc
  .tuple(
    fc.constantFrom('include', 'include', 'include', 'Include', ' include'),
    fc.constantFrom(' ', '\t', '   '),
    fc.constantFrom('/etc/qemu/', '/etc/qemu/', '', './', '"/etc/qemu/'),
    fc.constantFrom(...NAMES.map(toAclBytes), ' ', `${'x'.repeat(300)}`),
    fc.constantFrom('\n', ' \n', '\r\n', '', '\0x\n'),
  )
  .map((parts) => parts.join(''));

/** Only the last file may include itself, and once: two ways round a loop are walked 2^1000 times by the helper. */
const loop = fc.constantFrom('', '', 'include /etc/qemu/b.conf\n', 'include b.conf\n');
const cases: fc.Arbitrary<Case> = fc
  .record({
    top: fc.oneof(
      { weight: 12, arbitrary: aclTextOf(includes).map((text): Content => ({ text })) },
      { weight: 1, arbitrary: fc.constant<Content>('dir') },
      { weight: 1, arbitrary: aclText.map((text): Content => ({ secret: text })) },
      { weight: 1, arbitrary: fc.constant(undefined) },
    ),
    a: aclTextOf(fc.constant('include /etc/qemu/b.conf\n')),
    b: fc.tuple(aclText, loop, aclText).map(([before, again, after]) => `${before}\n${again}${after}`),
    secret: aclText,
    spaced: aclText,
    bridge: fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom('br0', 'br0', 'br1', 'br2') },
      { weight: 1, arbitrary: bridgeName.filter((name) => !name.includes('\0') && name.length < 16) },
    ),
  })
  .map(({ top, a, b, secret, spaced, bridge }) => ({
    bridge,
    files: {
      ...(top === undefined ? {} : { 'bridge.conf': top }),
      'a.conf': { text: a },
      'b.conf': { text: b },
      'with space.conf': { text: spaced },
      [CAFE]: { text: spaced },
      'secret.conf': { secret },
      sub: 'dir',
    },
  }));

/** A chain of includes; the last file allows the bridge. */
const chain = (length: number): Case => ({
  bridge: 'br0',
  files: Object.fromEntries(
    Array.from({ length }, (_, n) => [
      n === 0 ? 'bridge.conf' : `f${n}`,
      { text: n === length - 1 ? 'allow br0\n' : `include f${n + 1}\n` },
    ]),
  ),
});

/** One line, or one file, of every kind that people write: the table of measured cases, and more. */
const LINES = [
  ...[
    'allow br0',
    'deny br0',
    'allow all',
    'deny all',
    'ALLOW br0',
    'allow BR0',
    'allow ALL',
    'allow',
    'allow ',
  ],
  ...[
    'br0',
    'br0 allow',
    'allow=br0',
    'allow: br0',
    'allow br0;',
    "allow 'br0'",
    'allow br0,br1',
    'allow br0\\',
  ],
  ...[
    'allow\tbr0',
    'allow\tbr0 # c',
    'allow br0\t# c',
    '\vallow br0',
    'allow br0\v',
    'allow\fbr0',
    '\0',
    'a\0 b',
  ],
  ...[
    'include',
    'include ',
    'include  \t',
    'include /etc/qemu',
    'include .',
    'include /dev/null',
    'include a.conf',
  ],
  ...[
    `include ${'/'.repeat(4000)}etc/qemu/a.conf`,
    `include ${'x/'.repeat(2500)}`,
    `${' '.repeat(4095)}allow br0`,
  ],
  ...[
    `#${'x'.repeat(4094)}allow br0`,
    `#${'x'.repeat(4093)}allow br0`,
    `#${'x'.repeat(5000)}`,
    `#${'\0'.repeat(4094)}allow br0`,
  ],
];
const table: readonly Case[] = LINES.flatMap((line) =>
  ['', '\n', '\r\n', '\nallow br0\n', '\ndeny br1'].map((end) => ({
    bridge: 'br0',
    files: { 'bridge.conf': { text: line + end }, 'a.conf': { text: 'allow br0\n' } },
  })),
);

let dir: string;
beforeAll(() => {
  // A tmpfs of the sandbox's own: thousands of small files, gone with it.
  dir = mkdtempSync('/run/qlaunch-acl-');
  chmodSync(dir, 0o755);
  mkdirSync('/etc/qemu', { recursive: true });
  sh('mount -t tmpfs -o mode=755 tmpfs /etc/qemu; mount --bind /dev/null /dev/net/tun');
  // Every name leads to the working directory of whoever looks: each run of the helper finds files of its own.
  for (const name of ['bridge.conf', ...NAMES]) symlinkSync(`/proc/self/cwd/${name}`, `/etc/qemu/${name}`);
});
afterAll(() => {
  sh('umount /etc/qemu /dev/net/tun');
});

function write(one: Case, at: string): void {
  mkdirSync(at, { mode: 0o755 });
  for (const [name, content] of Object.entries(one.files)) {
    const path = join(at, name);
    if (content === 'dir') mkdirSync(path);
    else if ('text' in content) writeFileSync(path, content.text, { encoding: 'latin1', mode: 0o644 });
    else writeFileSync(path, content.secret, { encoding: 'latin1', mode: 0o600 });
  }
}

interface Answer {
  readonly verdict: 'allowed' | 'denied' | 'failed' | string;
  /** Sorted, each once: a file that is included twice is complained about twice. */
  readonly says: readonly string[];
}

const FAILED = "failed to parse default acl file `/etc/qemu/bridge.conf'";
const DENIED = 'access denied by acl file';
/** The first thing that fails once the bridge is allowed. */
const ALLOWED = 'failed to create tun device: Inappropriate ioctl for device';

function helperAnswer(stderr: string): Answer {
  const last = [FAILED, DENIED, ALLOWED].find((text) => stderr.endsWith(`${text}\n`));
  if (last === undefined) return { verdict: `what is ${JSON.stringify(stderr)}?`, says: [] };
  const before = stderr.slice(0, stderr.length - last.length - 1);
  const verdict = last === FAILED ? 'failed' : last === DENIED ? 'denied' : 'allowed';
  return { verdict, says: unique(before.split(/(?<=\n)(?=Invalid config line|Unknown command|name `)/)) };
}

const unique = (texts: readonly string[]): readonly string[] =>
  [...new Set(texts.map((text) => text.replace(/\n+$/, '')))].filter((text) => text !== '').sort();

function ourAnswer(one: Case, cwd: string): Answer {
  // /proc/self/cwd is ours too.
  process.chdir(cwd);
  const rules = readAcl('/etc/qemu/bridge.conf', { user: nobody, cwd });
  const said = [...rules.broken, ...(rules.failure === undefined ? [] : [rules.failure])];
  return { verdict: decide(rules, one.bridge).kind, says: unique(said.map(({ says }) => says)) };
}

/** One shell that starts the helper in each directory: starting processes from Node takes twice as long. */
function runHelper(all: readonly Case[]): readonly string[] {
  const script = `i=0
while IFS= read -r br; do
  cd "${dir}/$i"
  ${HELPER} --br="$br" --fd=9 9<> /dev/null 2> "${dir}/$i.err"
  i=$((i + 1))
done`;
  for (const index of all.keys()) writeFileSync(join(dir, `${index}.err`), '', { mode: 0o666 });
  const limits = ['prlimit', '--nofile=1024', 'setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`];
  const { status, stderr } = spawnSync('env', [...limits, '--clear-groups', 'bash', '-c', script], {
    input: Buffer.from(all.map(({ bridge }) => `${bridge}\n`).join(''), 'latin1'),
  });
  expect([status, stderr.toString()]).toEqual([expect.any(Number), '']);
  return all.map((_, index) => readFileSync(join(dir, `${index}.err`), 'latin1'));
}

test(`${CASES} files: the helper and we never disagree`, () => {
  const home = process.cwd();
  const old = process.umask(0);
  const all = [...fc.sample(cases, CASES), ...DEEP.map(chain), ...table];
  for (const [index, one] of all.entries()) write(one, join(dir, `${index}`));
  const stderrs = runHelper(all);
  const answers = all.map((one, index) => ourAnswer(one, join(dir, `${index}`)));
  process.chdir(home);
  process.umask(old);
  const verdicts: Record<string, number> = {};
  for (const [index, one] of all.entries()) {
    const theirs = helperAnswer(stderrs[index] ?? '');
    verdicts[theirs.verdict] = (verdicts[theirs.verdict] ?? 0) + 1;
    expect({ ...one, ...answers[index] }).toEqual({ ...one, ...theirs });
  }
  // The generator reaches every answer often.
  expect(Object.keys(verdicts).sort()).toEqual(['allowed', 'denied', 'failed']);
  for (const count of Object.values(verdicts)) expect(count).toBeGreaterThan(CASES / 20);
}, 120_000);
