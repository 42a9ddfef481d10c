import { describePython } from './python.ts';

describePython('PyIceberg creates, moves and removes tables', 'lifecycle.py');
describePython('PyIceberg names things', 'names.py');
describePython('PyIceberg keeps views', 'views.py');
