import { createCipheriv } from 'node:crypto';
import { readdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { vmRow, world } from '../../tiers/cli.ts';
import { guestCopy } from '../../tiers/guest.ts';
import { freePort } from '../../tiers/port.ts';

/** RFC 6143, 7.1 and 7.2.2: is the password taken? */
async function letsIn(port: number, password: string): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const pieces = socket.iterator({ destroyOnReturn: false });
  const reply = async (): Promise<Buffer> => (await pieces.next()).value;
  await reply();
  socket.write('RFB 003.008\n');
  expect([...(await reply())]).toEqual([1, 2]);
  socket.write(Buffer.from([2]));
  const challenge = await reply();
  const key = Buffer.alloc(8);
  key.write(password, 'latin1');
  // VNC takes the bits of each byte the other way round; three equal keys make of triple DES the single one.
  const mirrored = key.map((byte) =>
    Number.parseInt(byte.toString(2).padStart(8, '0').split('').reverse().join(''), 2),
  );
  const cipher = createCipheriv('des-ede3-ecb', Buffer.concat([mirrored, mirrored, mirrored]), null);
  socket.write(cipher.setAutoPadding(false).update(challenge));
  const result = (await reply()).readUInt32BE(0);
  socket.destroy();
  return result === 0;
}

test('the newline at the end of a password file is no part of the password', async () => {
  const w = world();
  writeFileSync(join(w.dir, 'it’s a pw'), 'secret\n', { mode: 0o600 });
  const port = await freePort();
  const vnc = `${port - 5900},password-file=it’s a pw`;
  const started = await w.qlaunch(guestCopy(w.dir), '-d', '-n', 'seen', '--accel', 'tcg', '--vnc', vnc);
  expect(started).toMatchObject({ status: 0, stderr: '' });
  expect(readdirSync((await vmRow(w, 'seen')).dir)).not.toContain('vnc.password');
  expect(await letsIn(port, 'secret')).toBe(true);
  expect(await letsIn(port, 'secret\n')).toBe(false);
});
