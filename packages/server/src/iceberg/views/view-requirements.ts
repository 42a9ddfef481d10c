import { PangolinError } from '@pangolin/shared/errors';
import type { JsonValue } from '../json.ts';
import { need, readFilledText, readList, readObject, readText, refuse, shown } from '../metadata/json-fields.ts';
import type { ViewMetadata } from './view-metadata.ts';

/**
 * Checks what a commit requires of a view (REST spec, ViewRequirement). Throws `commit_failed` for what does not hold, and
 * `invalid_request` for whatever is no requirement of a view.
 */
export function checkViewRequirements(base: ViewMetadata, requirements: JsonValue | undefined): void {
  if (requirements === undefined || requirements === null) return;
  for (const [index, value] of readList(requirements, 'requirements').entries()) {
    const where = `requirements[${index}]`;
    const requirement = readObject(value, where);
    const type = need(requirement, 'type', where, readText);
    if (type.toLowerCase() !== 'assert-view-uuid') {
      refuse(`${where}: a view has no requirement "${shown(type)}"; accepted is assert-view-uuid.`);
    }
    const uuid = need(requirement, 'uuid', where, readFilledText);
    if (uuid.toLowerCase() === base['view-uuid'].toLowerCase()) continue;
    const problem = `view UUID does not match: expected ${base['view-uuid']} != ${shown(uuid)}`;
    throw new PangolinError('commit_failed', `Requirement failed: ${problem}`);
  }
}
