// needs: veth
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { vmRow, world } from '../../tiers/cli.ts';
import { consoleFile } from '../../tiers/console.ts';
import { guestCopy } from '../../tiers/guest.ts';
import { serveNonce } from '../../tiers/nonce.ts';
import { freePort } from '../../tiers/port.ts';
import { qemus } from '../../tiers/qemus.ts';

/** passt copies the address and the route of the host: this namespace gets an uplink with both. */
beforeAll(() => {
  const ip = (line: string): void => void execFileSync('ip', line.split(' '));
  ip('netns add uplink');
  ip('link add up0 type veth peer name up1 netns uplink');
  ip('addr add 192.0.2.2/24 dev up0');
  ip('link set up0 up');
  ip('-n uplink addr add 192.0.2.1/24 dev up1');
  ip('-n uplink link set up1 up');
  ip('route add default via 192.0.2.1');
});

test.each(qemus)(
  'a guest behind passt has the host’s address, fetches and serves (QEMU $label)',
  async ({ binary }) => {
    const w = world();
    const served = await serveNonce();
    const port = await freePort();
    // passt sends what is for the gateway to the host's loopback.
    const fetchIt = ['--', '-fw_cfg', `name=opt/qlaunch/fetch,string=http://192.0.2.1:${served.port}/`];
    const net = `passt,fwd=${port}:80`;
    const started = await w.qlaunch(
      guestCopy(w.dir),
      '-d',
      '-n',
      'pa',
      '--accel',
      'tcg',
      '--qemu',
      binary,
      '--net',
      net,
      ...fetchIt,
    );
    expect(started).toMatchObject({ status: 0, stderr: '' });
    const { dir } = await vmRow(w, 'pa');
    const console = consoleFile(join(dir, 'serial.log'));
    await console.waitFor('QLAUNCH-GUEST ready');
    expect(console.text()).toMatch(/QLAUNCH-GUEST nic eth0 \S+ 192\.0\.2\.2\/24 192\.0\.2\.1\n/);
    expect(console.text()).toContain(`QLAUNCH-GUEST fetched ${served.nonce}\n`);
    const nonce = randomUUID();
    expect(await (await fetch(`http://127.0.0.1:${port}/cgi-bin/echo?${nonce}`)).text()).toContain(nonce);
    await w.qlaunch('stop', 'pa');
    // passt leaves with QEMU, and takes its socket along.
    await expect.poll(() => passts(dir)).toEqual([]);
  },
);

function passts(dir: string): readonly string[] {
  const all = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).split('\n');
  return all.filter((line) => line.startsWith('passt') && line.includes(dir) && existsSync(dir));
}
