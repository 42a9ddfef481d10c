import type { Bindings } from '../http/env.ts';
import type { IcebergEndpoint, IcebergRequest } from './answer.ts';
import { readSegment, splitLevels } from './identifiers.ts';
import type { IcebergPath } from './paths.ts';

const MAX_NAME_LENGTH = 500;

/** What a change would have done and to what: a refusal is recorded with it. */
export function describeChange(
  action: NonNullable<IcebergEndpoint['action']>,
  path: IcebergPath,
  about: IcebergRequest['about'],
): NonNullable<Bindings['refused']> {
  const [resourceType = ''] = action.split('.');
  const resourceName = [path.catalog ?? '', ...nameParts(path, about)].join('.').slice(0, MAX_NAME_LENGTH);
  return { action, resourceType, resourceName };
}

/** What the change is about: as far as it was read, else as far as the path says. */
function nameParts({ namespace, object }: IcebergPath, about: IcebergRequest['about']): readonly string[] {
  if (about !== null) return 'name' in about ? [...about.namespace, about.name] : about;
  try {
    const [levels = ''] = readSegment(namespace);
    const [name = ''] = readSegment(object);
    return [...splitLevels(levels), name].filter((part) => part !== '');
  } catch {
    return [];
  }
}
