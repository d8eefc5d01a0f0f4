/** The program `qemu-ifup`: QEMU's `script=`. QEMU waits for it, so it imports only what it needs. */
import { runHook } from './hook.ts';

runHook('up', process.argv.slice(2));
