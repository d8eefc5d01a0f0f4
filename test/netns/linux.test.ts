// needs: bridge
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { linuxMachine } from '../../src/host/linux.ts';
import { contract } from '../contract.ts';

contract('the real machine', () => {
  const directory = mkdtempSync('/run/qlaunch-contract-');
  return {
    machine: linuxMachine(),
    directory,
    end: () => {
      for (const name of readdirSync('/sys/class/net')) {
        if (/^c\d$/.test(name)) execFileSync('ip', ['link', 'delete', 'dev', name]);
      }
      for (const path of ['ipv4/ip_forward', 'ipv6/conf/all/forwarding'])
        writeFileSync(`/proc/sys/net/${path}`, '0');
      rmSync(directory, { recursive: true });
    },
  };
});
