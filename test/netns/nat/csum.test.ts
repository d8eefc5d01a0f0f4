// needs: bridge, veth, act_csum
/** What completes the checksum of DHCP answers by the kernel's own tc (checksum.test.ts has the rest). */
import { execFileSync } from 'node:child_process';
import { expect, onTestFinished, test } from 'vitest';
import { linuxMachine } from '../../../src/host/linux.ts';
import { checksumMeans, completesChecksums } from '../../../src/host/nat/checksum.ts';
import { tcWords } from '../../../src/plan/nat/checksum.ts';

const ip = (line: string): void => void execFileSync('ip', line.split(' '));

const SEND = `
  const socket = require('node:dgram').createSocket('udp4');
  socket.bind(67, () => { socket.setBroadcast(true); socket.send('x', 68, '10.94.0.255', () => socket.close()); });
`;

test('each answer passes the action', async () => {
  ip('link add lab0 type bridge');
  onTestFinished(() => ip('link delete dev lab0'));
  ip('link add p0 type veth peer name p1');
  onTestFinished(() => ip('link delete dev p0'));
  for (const line of ['p0 master lab0 up', 'p1 up', 'lab0 up']) ip(`link set dev ${line}`);
  ip('address add 10.94.0.1/24 broadcast + dev lab0');
  const host = linuxMachine();
  const means = await checksumMeans(host);
  expect(means).toBe('tc');
  expect(await completesChecksums(host, means, 'lab0', '')).toBe(false);
  for (const [program, ...words] of tcWords('lab0')) execFileSync(program, words);
  expect(await completesChecksums(host, means, 'lab0', '')).toBe(true);
  execFileSync(process.execPath, ['-e', SEND]);
  expect(execFileSync('tc', ['-s', 'filter', 'show', 'dev', 'lab0', 'egress'], { encoding: 'utf8' })).toMatch(
    /csum \(iph, udp\)[\s\S]*Sent [1-9]/,
  );
}, 300_000);
