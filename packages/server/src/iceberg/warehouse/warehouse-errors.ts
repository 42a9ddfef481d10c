import { type ErrorCode, PangolinError } from '@pangolin/shared/errors';

/** The most that is read of one file: whoever registers a table names the file, and it must not fill the memory. */
export const MAX_FILE_BYTES = 512 * 1024 * 1024;

/** What every Iceberg client's test suite expects of a pointer to a file that is gone. */
export const fileMissing = (location: string, cause?: unknown): PangolinError =>
  new PangolinError('file_not_found', `Failed to open input stream for file: ${location}`, { cause });

export const fileExists = (location: string, cause?: unknown): PangolinError =>
  new PangolinError('already_exists', `There is a file already: ${location}`, { cause });

export const fileTooLarge = (location: string, maxBytes: number): PangolinError =>
  new PangolinError('invalid_request', `The file ${location} is larger than ${maxBytes} bytes, the most that is read`);

export const fileOutside = (location: string, root: string): PangolinError =>
  new PangolinError('invalid_request', `${location} does not lie within the catalog's warehouse ${root}`);

export const notAFile = (location: string): PangolinError =>
  new PangolinError('invalid_request', `${location} is not a regular file`);

/** What went wrong on a disk, in the words of a location: paths of the server's that nobody named stay inside. */
export function explainFileError(
  error: unknown,
  location: string,
  done: 'written' | 'read' | 'removed',
): PangolinError {
  if (error instanceof PangolinError) return error;
  const { code = 'no error code' } = error as NodeJS.ErrnoException;
  const explain = (as: ErrorCode, message: string) => new PangolinError(as, message, { cause: error });
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
    case 'EEXIST':
      if (done === 'read') return fileMissing(location, error);
      if (code === 'ENOENT') break;
      return explain('invalid_request', `There is a file where a directory of ${location} should be`);
    case 'ELOOP':
    case 'EISDIR':
      return notAFile(location);
    case 'ENAMETOOLONG':
      return explain('invalid_request', `The location ${location} is too long for its file system`);
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return explain('storage_read_only', `${location} cannot be ${done}: the server's account may not (${code})`);
    case 'ENOSPC':
    case 'EDQUOT':
      return explain('storage_full', `The disk that holds ${location} is full`);
  }
  return explain('unavailable', `${location} cannot be ${done} right now (${code})`);
}
