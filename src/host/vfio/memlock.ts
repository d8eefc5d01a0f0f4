/** RLIMIT_MEMLOCK: all memory of a guest with a passed device is locked (linux/drivers/vfio/vfio_iommu_type1.c). */
import { text } from './bus.ts';

/** Bytes that a program of ours may be given; Infinity: no limit. proc(5), limits: "Max locked memory  SOFT  HARD  bytes". */
export function memlockLimit(): number {
  const [, hard] = /^Max locked memory +\S+ +(\S+)/m.exec(text('/proc/self/limits') ?? '') ?? [];
  return hard === undefined || hard === 'unlimited' ? Number.POSITIVE_INFINITY : Number(hard);
}
