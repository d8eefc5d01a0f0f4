import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { linuxMachine } from '../../../../src/host/linux.ts';
import { liveForwards, readForwards } from '../../../../src/host/nat/forwards.ts';

const MARK = 'qlaunch:vm/web:0123456789ab';
const SAVED = [
  '-A OUTPUT -m comment --comment "MARK" -j qlaunch_fwd_0123456789ab-own',
  '-A qlaunch_fwd_0123456789ab-own -p tcp -m addrtype --dst-type LOCAL -m tcp --dport 8080 -j DNAT --to-destination 10.9.0.5:80',
];

/** The first on the PATH. */
function programs(bodies: Readonly<Record<string, string>>): void {
  const bin = mkdtempSync(join(tmpdir(), 'qlaunch-test-'));
  onTestFinished(() => {
    vi.unstubAllEnvs();
    rmSync(bin, { recursive: true });
  });
  for (const [name, body] of Object.entries(bodies))
    writeFileSync(join(bin, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  vi.stubEnv('PATH', `${bin}:${process.env['PATH']}`);
}

test('an nft that refuses tells nothing about what is gone, whatever iptables says', async () => {
  const save = `cat <<'END'\n*nat\n${SAVED.join('\n').replace('MARK', MARK)}\nCOMMIT\nEND`;
  const host = linuxMachine();
  const known = [expect.objectContaining({ mark: MARK, hostPort: 8080 })];
  programs({ 'iptables-save': save, nft: 'exit 1' });
  expect(await readForwards(host)).toBeUndefined();
  expect(await liveForwards(host)).toEqual(known);
  programs({ nft: 'exit 0' });
  expect(await readForwards(host)).toEqual(known);
});
