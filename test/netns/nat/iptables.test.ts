// needs: bridge, nft_inet, nft_nat, veth
import { test } from 'vitest';
import { worksBy } from './by-iptables.ts';

test(
  'where nft is missing, by iptables-nft: out, not in but by a forward, and nothing is left',
  () => worksBy('nft'),
  120_000,
);
