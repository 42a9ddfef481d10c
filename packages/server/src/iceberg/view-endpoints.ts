import { type Answer, answerText, type IcebergEndpoint, type IcebergRequest, NO_CONTENT } from './answer.ts';
import { MAX_COMMIT_BYTES } from './body-budget.ts';
import { dropObject } from './drop.ts';
import { readName } from './identifiers.ts';
import type { JsonValue } from './json.ts';
import type { MetadataFile } from './metadata-files.ts';
import { createCommonEndpoints, readNew, readText } from './object-endpoints.ts';
import { readRequestedObject, requireKind } from './objects.ts';
import type { ViewMetadata } from './views/view-metadata.ts';
import { createView, registerView, replaceView, VIEW_FORMAT } from './views.ts';

/** The operations on views. */
export const VIEW_ENDPOINTS: readonly IcebergEndpoint[] = [
  ...createCommonEndpoints(VIEW_FORMAT),
  {
    method: 'POST',
    path: 'namespaces/{namespace}/views',
    action: 'view.created',
    maxBodyBytes: MAX_COMMIT_BYTES,
    async handle(request) {
      const { identifier, body } = await readNew(request, readViewName);
      return answerView(await createView(request, identifier, body));
    },
  },
  {
    method: 'GET',
    path: 'namespaces/{namespace}/views/{view}',
    async handle(request) {
      const { deps, catalog } = request;
      const { identifier, row } = await readRequestedObject(request, 'read');
      requireKind(VIEW_FORMAT, identifier, row);
      return answerView(await deps.iceberg.files.read(catalog.warehouse, VIEW_FORMAT, row.metadata_location));
    },
  },
  {
    method: 'POST',
    path: 'namespaces/{namespace}/views/{view}',
    action: 'view.updated',
    maxBodyBytes: MAX_COMMIT_BYTES,
    async handle(request) {
      const { identifier } = await readRequestedObject(request, 'write');
      const file = await replaceView(request, identifier, await request.readBody());
      return answerView(file);
    },
  },
  {
    method: 'DELETE',
    path: 'namespaces/{namespace}/views/{view}',
    action: 'view.dropped',
    async handle(request) {
      const { identifier } = await readRequestedObject(request, 'write');
      await dropObject(request, VIEW_FORMAT, identifier);
      return NO_CONTENT;
    },
  },
  {
    method: 'POST',
    path: 'namespaces/{namespace}/register-view',
    action: 'view.registered',
    async handle(request) {
      const { identifier, body } = await readNew(request, readViewName);
      const file = await registerView(request, identifier, readText(body['metadata-location'], 'metadata-location'));
      return answerView(file);
    },
  },
];

/** A LoadViewResult. */
const answerView = ({ location, text }: MetadataFile<ViewMetadata>): Answer =>
  answerText(`{"metadata-location":${JSON.stringify(location)},"metadata":${text},"config":{}}`);

/** The name of a new view. PyIceberg, and it alone, percent-encodes it although it is no part of a path. */
function readViewName(value: JsonValue | undefined, { header }: IcebergRequest): string {
  const name = readName(value);
  if (!header('user-agent')?.startsWith('PyIceberg/') || !/%[0-9a-f]{2}/i.test(name)) return name;
  try {
    return readName(decodeURIComponent(name));
  } catch (error) {
    if (error instanceof URIError) return name;
    throw error;
  }
}
