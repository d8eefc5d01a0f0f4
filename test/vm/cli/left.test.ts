// needs: bridge, tap, veth
/** What could not be taken back is told, by the status too, and healed by what is told to type. */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { differences, snapshot } from '../../snapshot.ts';
import { pidOf, userWorld, type World, world } from '../../tiers/cli.ts';
import { guestCopy } from '../../tiers/guest.ts';
import { addressOf, lan } from '../../tiers/lan.ts';

const TCG = ['--accel', 'tcg', '-m', '192'];
const NET = ['--net', 'tap,bridge=br0,antispoof=on'];
const FILTER = 'left over: "filter what comes from qt-web0"';

/** From now on nft takes nothing away, or only late; the result mends it. */
function spoilNft(w: World, how: string = 'exit 1'): () => void {
  const script = join(w.dir, 'nft');
  const real = join(w.dir, 'nft.real');
  const path = '/usr/sbin/nft';
  execFileSync('cp', [path, real]);
  writeFileSync(script, `#!/bin/sh\n[ "$1" != delete ] || ${how}\nexec ${real} "$@"\n`);
  chmodSync(script, 0o755);
  execFileSync('mount', ['--bind', script, path]);
  let spoilt = true;
  const mend = (): void => {
    if (spoilt) execFileSync('umount', [path]);
    spoilt = false;
  };
  onTestFinished(mend);
  return mend;
}

const opened = (w: World): readonly string[] =>
  existsSync(join(w.dir, 'run/journal')) ? readdirSync(join(w.dir, 'run/journal')) : [];

async function healed(w: World, mend: () => void, before: ReturnType<typeof snapshot>): Promise<void> {
  expect(addressOf('qt-web0')).toBeUndefined();
  mend();
  expect(await w.qlaunch('recover')).toMatchObject({ status: 0 });
  expect(opened(w)).toEqual([]);
  expect(differences(before, snapshot())).toEqual([]);
}

test.each(['kill', 'stop'])('%s tells what the guard could not take back', async (command) => {
  await lan();
  const before = snapshot();
  const w = world();
  expect(await w.qlaunch(guestCopy(w.dir), '-n', 'web', '-d', ...NET, ...TCG)).toMatchObject({ status: 0 });
  const mend = spoilNft(w);
  const ended = await w.qlaunch(command, 'web', ...(command === 'stop' ? ['--timeout', '1'] : []));
  expect(ended.status).toBe(6);
  expect(ended.stderr).toContain(FILTER);
  expect(ended.stderr).toMatch(/try: sudo \S*qlaunch recover/);
  await healed(w, mend, before);
});

test('what is still being taken back is no left-over: it is waited for', async () => {
  await lan();
  const before = snapshot();
  const w = world();
  expect(await w.qlaunch(guestCopy(w.dir), '-n', 'web', '-d', ...NET, ...TCG)).toMatchObject({ status: 0 });
  // Longer than a killed QEMU is given to go.
  const mend = spoilNft(w, 'sleep 6');
  expect(await w.qlaunch('kill', 'web')).toMatchObject({ status: 0 });
  expect(opened(w)).toEqual([]);
  mend();
  expect(differences(before, snapshot())).toEqual([]);
});

test('so does a start in the foreground', async () => {
  await lan();
  const before = snapshot();
  const w = world();
  const { child, status } = w.start([guestCopy(w.dir), '-n', 'web', ...NET, ...TCG]);
  let said = '';
  child.stderr.on('data', (text: Buffer) => {
    said += text.toString();
  });
  await expect.poll(() => said, { timeout: 20_000 }).toContain('Ctrl-C');
  const mend = spoilNft(w);
  process.kill(await pidOf(w, 'web'), 'SIGTERM');
  expect(await status).toBe(6);
  expect(said).toContain(FILTER);
  await healed(w, mend, before);
});

test('and one that fails; the next one does not begin on top of it', async () => {
  await lan();
  const before = snapshot();
  const w = world();
  const mend = spoilNft(w);
  const args = [guestCopy(w.dir), '-n', 'web', '-d', ...NET, ...TCG];
  const failed = await w.qlaunch(...args, '--', '-device', 'no-such-device');
  expect(failed.status).toBe(6);
  expect(failed.stderr).toContain("'no-such-device' is not a valid device model name");
  expect(failed.stderr).toContain(FILTER);
  expect(failed.stderr).toMatch(/sudo \S*qlaunch recover/);
  const again = await w.qlaunch(...args);
  expect(again.status).toBe(6);
  expect(again.stderr).toContain(
    'what an earlier start of vm web left could not be taken back [QL_LEFTOVERS]',
  );
  await healed(w, mend, before);
});

/** Greets and is gone; its last answer comes when it is. What it can do is answered by the real one. */
const SHORT_LIVED = `#!/usr/bin/env python3
import os, re, socket, sys, time
if '-pidfile' not in sys.argv:
    os.execvp('qemu-system-x86_64', ['qemu-system-x86_64'] + sys.argv[1:])
with open(sys.argv[sys.argv.index('-pidfile') + 1], 'w') as file:
    file.write(str(os.getpid()))
server = socket.socket(socket.AF_UNIX)
server.bind(re.search('path=([^,]*supervisor.sock)', ' '.join(sys.argv)).group(1))
server.listen()
client = server.accept()[0]
client.sendall(b'{"QMP": {"version": {"qemu": {"micro": 0, "minor": 2, "major": 7}, "package": ""}, "capabilities": []}}\\n')
ask = client.recv(4096)
number = re.search(b'"id": *([^,}]+)', ask)
sys.stderr.write('out of breath\\n')
sys.stderr.flush()
me = os.getpid()
if os.fork():
    os._exit(3)
while os.getppid() == me:
    time.sleep(0.001)
client.sendall(b'{"return": {}' + (b', "id": ' + number.group(1) if number else b'') + b'}\\n')
`;

test('a QEMU that is gone right after its greeting is no VM that runs, and leaves nothing', async () => {
  await lan();
  const before = snapshot();
  const w = world();
  const qemu = join(w.dir, 'short-lived');
  writeFileSync(qemu, SHORT_LIVED, { mode: 0o755 });
  const args = [guestCopy(w.dir), '-n', 'web', '-d', '--qemu', qemu, ...NET, ...TCG];
  for (let round = 1; round <= 4; round += 1) {
    const run = await w.qlaunch(...args);
    expect({ round, status: run.status, stdout: run.stdout }).toEqual({ round, status: 4, stdout: '' });
    expect(run.stderr).toContain('out of breath');
    expect({ round, opened: opened(w) }).toEqual({ round, opened: [] });
  }
  expect(differences(before, snapshot())).toEqual([]);
});

test('who has nothing left is told nothing', async () => {
  const w = userWorld();
  const image = guestCopy(w.dir);
  chmodSync(image, 0o666);
  expect(await w.qlaunch(image, '-n', 'web', '-d', ...TCG)).toMatchObject({ status: 0 });
  expect(await w.qlaunch('kill', 'web')).toMatchObject({ status: 0, stderr: 'web: killed by signal 9' });
});
