import type { PangolinError } from '@pangolin/shared/errors';
import { type Identifier, joinLevels } from './identifiers.ts';
import type { MetadataFile } from './metadata-files.ts';
import type { NamedLocation, ObjectFormat } from './object-format.ts';
import type { ObjectRow } from './store.ts';

/** What a change is made from. */
interface Given {
  nowMs: number;
  newUuid: string;
  /** Where the object is put if nobody says. */
  defaultLocation: string;
}

/** A change to one table or view. */
export interface Change<M> {
  format: ObjectFormat<M>;
  identifier: Identifier;
  /** Makes the object, which then must not be there; changes it, which then must; or puts it there whatever there is. */
  mode: 'create' | 'update' | 'put';
  /** The audit event. */
  action: string;
  details?: Record<string, unknown>;
  /** What is there now, or null; answers what is to be. The same object: nothing changes. */
  apply(base: MetadataFile<M> | null, given: Given): M;
  /** Files that nothing leads to any more once the change is committed. */
  outdated?(base: MetadataFile<M>, next: M): readonly string[];
  /** What to say when the name is taken by an object of the same kind. */
  taken?: PangolinError;
  /** A file that exists already and is to be the pointer, instead of a new one. */
  existingFile?: MetadataFile<M>;
}

/** A change that was made, and is to be committed. */
export interface Prepared<M> {
  change: Change<M>;
  row: ObjectRow | null;
  base: MetadataFile<M> | null;
  next: M;
  named: NamedLocation[];
  defaultLocation: string;
  file: MetadataFile<M>;
}

/** What writers of one table or view queue under. */
export const lockKey = (catalogId: string, { namespace, name }: Identifier): string =>
  `${catalogId} ${joinLevels(namespace)}\n${name}`;
