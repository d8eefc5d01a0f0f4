// needs: bridge, tap, veth, nft_inet, nft_nat
/** `--net nat`: a guest on a bare host is in the internet, and its network stays when it ends. */

import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chownSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { differences, snapshot } from '../../snapshot.ts';
import { hostWorlds, programs, vmRow, world } from '../../tiers/cli.ts';
import { consoleFile } from '../../tiers/console.ts';
import { guestCopy } from '../../tiers/guest.ts';
import { internet, UPLINK } from '../../tiers/internet.ts';

const TCG = ['--accel', 'tcg', '-m', '256'];

test('from a bare host: the network is started, the guest fetches from the internet, and nothing of it stays but the network', async () => {
  const { nonce, url, askedBy } = await internet();
  const w = world();
  onTestFinished(async () => void (await w.qlaunch('net', 'stop', 'default', '--force')));
  const before = snapshot();
  const disk = guestCopy(w.dir);
  const dry = await w.qlaunch(disk, '--net', 'nat', '--dry-run', ...TCG);
  expect(dry).toMatchObject({ status: 0 });
  expect(dry.stdout).toContain('dnsmasq --conf-file=');
  expect(differences(before, snapshot())).toEqual([]);

  const fetching = ['--', '-fw_cfg', `name=opt/qlaunch/fetch,string=${url}`];
  expect(await w.qlaunch(disk, '-n', 'web', '-d', '--net', 'nat', ...TCG, ...fetching)).toMatchObject({
    status: 0,
    stderr: expect.stringContaining('the network default is started first'),
  });
  const console = consoleFile(join((await vmRow(w, 'web')).dir, 'serial.log'));
  await console.waitFor('QLAUNCH-GUEST ready');
  expect(console.text()).toContain(`QLAUNCH-GUEST fetched ${nonce}\n`);
  const guest = /QLAUNCH-GUEST nic eth0 \S+ (192\.168\.122\.\d+)\/24 192\.168\.122\.1/.exec(
    console.text(),
  )?.[1];
  // libvirt's rule: ports from 1024 on.
  expect(askedBy.map((who) => who.split(':')[0])).toEqual([UPLINK]);
  expect(Number(askedBy[0]?.split(':')[1])).toBeGreaterThanOrEqual(1024);
  const back = randomUUID();
  expect(await (await fetch(`http://${guest}/cgi-bin/echo?${back}`)).text()).toContain(back);
  expect((await w.qlaunch('net', 'leases', 'default')).stdout).toContain(guest);

  expect(await w.qlaunch('net', 'stop', 'default')).toMatchObject({ status: 3 });
  expect(await w.qlaunch('stop', 'web')).toMatchObject({ status: 0 });
  expect(JSON.parse((await w.qlaunch('net', 'info', 'default', '--json')).stdout)).toMatchObject({
    active: true,
  });
  expect(await w.qlaunch('net', 'stop', 'default')).toMatchObject({ status: 0 });
  expect(differences(before, snapshot())).toEqual([]);
});

const NOBODY = 65_534;

/** As sudo finds it, in the sandbox's own /etc. */
function homeOfNobody(dir: string): void {
  const before = readFileSync('/etc/passwd', 'utf8');
  onTestFinished(() => writeFileSync('/etc/passwd', before));
  writeFileSync('/etc/passwd', before.replace(/^(nobody:.*:)[^:]*(:[^:]*)$/m, `$1${dir}$2`));
}

const HELPER = '/usr/lib/qemu/qemu-bridge-helper';

test('after one net start --allow a user without rights has a guest on it; undo takes the rights back', async () => {
  const { nonce, url } = await internet();
  const { root, user } = hostWorlds();
  onTestFinished(async () => void (await root.qlaunch('net', 'stop', 'default', '--force')));
  // The guest's kernel has to be readable for everybody, and QEMU's user owns its disk.
  const disk = guestCopy(user.dir);
  chownSync(disk, NOBODY, NOBODY);
  const line = [
    disk,
    '-n',
    'web',
    '-d',
    '--net',
    'nat',
    ...TCG,
    '--',
    '-fw_cfg',
    `name=opt/qlaunch/fetch,string=${url}`,
  ];
  expect(await user.qlaunch(...line)).toMatchObject({
    status: 3,
    stderr: expect.stringMatching(/sudo \S*qlaunch net start default --allow nobody/),
  });
  const dry = await root.qlaunch('net', 'start', 'default', '--allow', 'nobody', '--dry-run');
  expect(dry.stdout).toContain('allow virbr0');
  expect(statSync(HELPER).mode & 0o4000).toBe(0);
  const allowed = await root.qlaunch('net', 'start', 'default', '--allow', 'nobody');
  expect(allowed).toMatchObject({
    status: 0,
    stderr: expect.stringContaining('every member of group nogroup may'),
  });
  expect(statSync(HELPER).mode & 0o4000).toBe(0o4000);

  // What only root may give is refused with the line to type, before anything is started.
  const wish = line.map((word) => (word === 'nat' ? 'nat,fwd=18086:80' : word));
  const refused = await user.qlaunch(...wish);
  expect(refused).toMatchObject({ status: 3, stderr: expect.stringMatching(/sudo .* nat,fwd=18086:80 /) });
  const [, add = ''] = /sudo \S*qlaunch (forward add web \S+)/.exec(refused.stderr) ?? [];
  expect((await user.qlaunch('ps', '--json')).stdout).toBe('[]');
  expect(await user.qlaunch(...line)).toMatchObject({ status: 0, stderr: '' });
  const console = consoleFile(join((await vmRow(user, 'web')).dir, 'serial.log'));
  await console.waitFor('QLAUNCH-GUEST ready');
  expect(console.text()).toContain(`QLAUNCH-GUEST fetched ${nonce}\n`);
  // And given while it runs, by sudo: it ends with the VM, whose guard is not root's.
  homeOfNobody(user.dir);
  const env = { ...process.env, ...root.env, SUDO_UID: `${NOBODY}`, SUDO_GID: `${NOBODY}` };
  const sudo = (...words: readonly string[]): string =>
    execFileSync(programs[0]?.path ?? '', words, { env, encoding: 'utf8' });
  expect(sudo(...add.split(' '), '--dry-run')).toMatch(/dnat ip to 192\.168\.122\.[\s\S]*setsid --fork/);
  sudo(...add.split(' '));
  sudo('forward', 'add', 'web', '18087:80');
  const page = `cgi-bin/echo?${randomUUID()}`;
  for (const port of [18_086, 18_087])
    expect(await (await fetch(`http://127.0.0.1:${port}/${page}`)).text()).toContain(page.split('?')[1]);
  expect(JSON.parse((await user.qlaunch('forward', 'list', 'web', '--json')).stdout)).toHaveLength(2);
  // Somebody deletes the bridge: the tap that the helper made, which no record names, is plugged in again.
  execFileSync('ip', ['link', 'delete', 'dev', 'virbr0']);
  expect(await root.qlaunch('net', 'check', 'default', '--fix', '--no-probe')).toMatchObject({ status: 0 });
  const answer = async (): Promise<string> =>
    (await fetch(`http://127.0.0.1:18086/${page}`).catch(() => undefined))?.text() ?? '';
  await expect.poll(answer, { timeout: 30_000 }).toContain(page.split('?')[1]);
  // Whoever may not use the bridge any more does not get into it by that.
  const tap = /^\d+: (\S+):/.exec(
    execFileSync('ip', ['-o', 'link', 'show', 'master', 'virbr0', 'type', 'tun'], { encoding: 'utf8' }),
  )?.[1];
  execFileSync('ip', ['link', 'set', 'dev', tap ?? '', 'nomaster']);
  const list = readFileSync('/etc/qemu/bridge.conf', 'utf8');
  writeFileSync('/etc/qemu/bridge.conf', 'deny virbr0\n');
  expect(await root.qlaunch('net', 'check', 'default', '--fix', '--no-probe')).toMatchObject({
    status: 3,
    stdout: expect.stringContaining(
      `${tap} of VM web is plugged into nothing, and its user may not use virbr0`,
    ),
  });
  writeFileSync('/etc/qemu/bridge.conf', list);
  expect(await root.qlaunch('net', 'start', 'default')).toMatchObject({
    status: 0,
    stdout: expect.stringContaining(`plugged in again  ${tap}`),
  });
  await expect.poll(answer, { timeout: 30_000 }).toContain(page.split('?')[1]);
  sudo('forward', 'remove', 'web', '18087');
  expect(await fetch(`http://127.0.0.1:18087/${page}`).catch(() => undefined)).toBeUndefined();
  expect(await user.qlaunch('stop', 'web')).toMatchObject({ status: 0 });
  const tables = (): string => execFileSync('nft', ['list', 'tables'], { encoding: 'utf8' });
  await expect.poll(tables, { timeout: 20_000 }).not.toContain('qlaunch_fwd_');
  await expect
    .poll(async () => (await root.qlaunch('changes')).stdout, { timeout: 20_000 })
    .not.toContain('forwards of');
  const [, id = 'no undo line'] = /sudo \S*qlaunch undo (\w+)/.exec(allowed.stderr) ?? [];
  expect(await root.qlaunch('undo', id)).toMatchObject({ status: 0 });
  expect(statSync(HELPER).mode & 0o4000).toBe(0);
  expect(execFileSync('sh', ['-c', 'cat /etc/qemu/bridge.conf || true'], { encoding: 'utf8' })).not.toContain(
    'virbr0',
  );
});
