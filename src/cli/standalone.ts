/** The three programs in one executable (npm run build:standalone): the name it is called by tells which. */
import { basename } from 'node:path';

const name = basename(process.argv0);
const argv = process.argv.slice(2);
if (name === 'qemu-ifup') void import('./hook-up.ts').then(({ ifup }) => ifup(argv));
else if (name === 'qemu-ifdown') void import('./hook-down.ts').then(({ ifdown }) => ifdown(argv));
else void import('./qlaunch.ts');
