import { describePython } from './python.ts';

describePython('PyIceberg writes and reads rows', 'rows.py');
describePython('PyIceberg changes schemas', 'schema.py');
describePython('PyIceberg changes partitions and sort orders', 'layout.py');
describePython('PyIceberg keeps a history', 'history.py');
