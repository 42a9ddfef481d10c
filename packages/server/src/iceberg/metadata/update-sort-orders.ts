import type { JsonObject } from '../json.ts';
import { at, need, readInt32, readObject, refuse } from './json-fields.ts';
import { checkSortFields, readSortFields, sortOrderKey, UNSORTED } from './sort-orders.ts';
import { currentSchemaOf, nextId, type TableDraft } from './table-draft.ts';

/** `add-sort-order`: 0 is the id of no order; others are found by what they hold, or get the next id. */
export function addSortOrder(draft: TableDraft, update: JsonObject, where: string): void {
  const path = at(where, 'sort-order');
  const fields = need(need(update, 'sort-order', where, readObject), 'fields', path, readSortFields);
  checkSortFields(fields, currentSchemaOf(draft, path), path);
  const ids = orderIdsOf(draft);
  const key = sortOrderKey(fields);
  const existing = ids.get(key);
  if (existing !== undefined) {
    draft.lastAdded.orderId = existing;
    return;
  }
  const id = fields.length === 0 ? 0 : nextId(draft, 'orders');
  draft.orders.put(fields.length === 0 ? UNSORTED : { 'order-id': id, fields });
  ids.set(key, id);
  draft.lastAdded.orderId = id;
  draft.isChanged = true;
}

/** `set-default-sort-order` */
export function setDefaultSortOrder(draft: TableDraft, update: JsonObject, where: string): void {
  const asked = need(update, 'sort-order-id', where, readInt32);
  const id = asked === -1 ? draft.lastAdded.orderId : asked;
  if (id === null) refuse('Cannot set last added sort order: no sort order has been added');
  if (!draft.orders.has(id)) refuse(`Cannot set default sort order to unknown sort order: ${id}`);
  draft.isChanged ||= draft.defaultOrderId !== id;
  draft.defaultOrderId = id;
}

function orderIdsOf({ indexes, orders }: TableDraft): Map<string, number> {
  indexes.orderIds ??= new Map([...orders.elements()].map((order) => [sortOrderKey(order.fields), order['order-id']]));
  return indexes.orderIds;
}
