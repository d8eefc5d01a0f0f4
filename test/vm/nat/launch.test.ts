// needs: bridge, tap, veth, nft_inet, nft_nat
/** `--net nat`: a guest on a bare host is in the internet, and its network stays when it ends. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { differences, snapshot } from '../../snapshot.ts';
import { vmRow, world } from '../../tiers/cli.ts';
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
