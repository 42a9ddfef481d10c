import type { ErrorCode } from '@pangolin/shared/errors';
import type { ObjectKind } from './store.ts';

/** A location that a client named. */
export interface NamedLocation {
  /** As messages begin: `The table's location`. */
  what: string;
  location: string;
  kind: 'directory' | 'file';
}

/** How one kind of catalog object is read, written and laid out; the rest of a commit is the same for all. */
export interface ObjectFormat<M> {
  kind: ObjectKind;
  /** As messages begin. */
  title: 'Table' | 'View';
  notFound: ErrorCode & `${string}_not_found`;
  /** Throws `invalid_request` for what is no metadata. */
  parse(text: string): M;
  /** The JSON text of the metadata file. */
  write(metadata: M): string;
  /** Where its files are; first of all its location. */
  directoriesOf(metadata: M): readonly string[];
  /** The next metadata file, after `previous`. */
  fileLocation(metadata: M, previous: string | null, uuid: string): string;
  /** What `next` names and `base` did not. */
  newLocations(next: M, base: M | null): NamedLocation[];
}
