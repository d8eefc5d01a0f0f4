import { existsSync } from 'node:fs';

/** sd_booted(3): made by systemd as process 1, and by nobody else. */
export const runsSystemd = (): boolean => existsSync('/run/systemd/system');
