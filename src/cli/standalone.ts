/** The three programs in one executable (npm run build:standalone): the name it is called by tells which. */
import { basename } from 'node:path';
import { runHook } from './hook.ts';

const name = basename(process.argv0);
if (name === 'qemu-ifup') runHook('up', process.argv.slice(2));
else if (name === 'qemu-ifdown') runHook('down', process.argv.slice(2));
else void import('./qlaunch.ts');
