/** The program `qemu-ifdown`: QEMU's `downscript=`. QEMU waits for it as well, so it imports only what it needs. */
import { runHook } from './hook.ts';

runHook('down', process.argv.slice(2));
