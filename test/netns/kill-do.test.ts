// needs: bridge
import { killMatrix } from './kill-matrix.ts';

killMatrix('do');
