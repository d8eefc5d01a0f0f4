/** The program `qemu-ifup`: QEMU's `script=`. QEMU waits for it, so it imports only what it needs. */
import { ifup } from './hook-up.ts';

void ifup(process.argv.slice(2));
