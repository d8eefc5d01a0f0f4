/** The program `qemu-ifdown`: QEMU's `downscript=`. */
import { ifdown } from './hook-down.ts';

void ifdown(process.argv.slice(2));
