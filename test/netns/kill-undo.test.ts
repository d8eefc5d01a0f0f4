// needs: bridge, tap
import { killMatrix } from './kill-matrix.ts';

killMatrix('undo');
