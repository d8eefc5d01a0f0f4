/**
 * The guest that proves an accelerator: a BIOS of its own, 216 bytes in a 64 KiB ROM. It goes from real mode over
 * protected mode to long mode, writes a letter to the serial port at each, then runs a loop that takes a real CPU
 * 10 ms. Where KVM only emulates (nested machines without VMX: about 4 million instructions a second, seen), a
 * SeaBIOS still comes up and a Linux kernel "hangs" while it unpacks itself; the loop tells the two apart.
 *
 * Written for GNU as, entry at F000:FE00; the bytes are its output.
 */

/** The last letter of a guest that works: "RPLK". */
export const PROOF = 'K';

const CODE: readonly string[] = [
  'fa', // cli
  'baf803b052ee', // out 'R' to COM1: real mode runs
  '31c08ed88ec0', // ds = es = 0
  'bf0010b90018f3ab', // clear 0x1000-0x3fff: PML4, PDPT, PD
  '66c706001003200000', // PML4[0] = 0x2003
  '66c706002003300000', // PDPT[0] = 0x3003
  '66c706003083000000', // PD[0] = 0x83: the first 2 MiB, identity
  '2e660f0116affe', // lgdt
  '0f20c00c010f22c0', // CR0.PE = 1
  '66ea47fe0f000800', // far jump to the 32-bit code
  '66b810008ed88ec08ed0bc00800000', // ds = es = ss = 16, esp = 0x8000
  'baf8030000b050ee', // out 'P': protected mode runs
  'b8200000000f22e0', // CR4.PAE = 1
  'b8001000000f22d8', // CR3 = 0x1000
  'b9800000c00f320d000100000f30', // EFER.LME = 1
  '0f20c00d000000800f22c0', // CR0.PG = 1
  'ea8efe0f001800', // far jump to the 64-bit code
  'baf8030000b04cee', // out 'L': long mode runs
  'b9002d3101ffc975fc', // 20 000 000 times: dec ecx, jnz
  'b04beeb00aee', // out 'K', line feed: and it runs fast
  '31c050500f011c24', // lidt with an empty table
  '0f0b', // ud2: a triple fault, which -no-reboot turns into the end of QEMU
  '1f00b8fe0f00', // gdtr: limit 31, base 0xffeb8
  '0f1f00', // (aligned)
  '0000000000000000', // gdt: null
  'ffff0000009bcf00', // 8: 32-bit code
  'ffff00000093cf00', // 16: data
  'ffff0000009baf00', // 24: 64-bit code
];

/** At F000:FFF0, where an x86 CPU begins: far jump to F000:FE00. */
const RESET = 'ea00fe00f0';

/** QEMU wants a multiple of 64 KiB for -bios. */
export function probeRom(): Uint8Array {
  const rom = Buffer.alloc(0x10000);
  rom.write(CODE.join(''), 0xfe00, 'hex');
  rom.write(RESET, 0xfff0, 'hex');
  return rom;
}
