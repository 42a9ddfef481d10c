import { type DocumentNode, GraphQLError, Kind } from 'graphql';

/** Refuses a document of which it is not clear what shall be run, naming what could be. Throws a GraphQLError. */
export function requireOperation(document: DocumentNode, asked: string | null | undefined): void {
  const operations = document.definitions.filter((one) => one.kind === Kind.OPERATION_DEFINITION);
  const names = operations.map(({ name }) => name?.value);
  if (names.length === 0) throw new GraphQLError('The document has no operation: no query and no mutation.');
  const listed = names.filter((name) => name !== undefined).join(', ');
  if (typeof asked === 'string') {
    if (names.includes(asked)) return;
    const others = listed === '' ? 'what there is has no name, so leave operationName out' : `there are ${listed}`;
    throw new GraphQLError(`There is no operation '${asked.slice(0, 100)}' in the document; ${others}.`);
  }
  if (names.length > 1 && names.includes(undefined))
    throw new GraphQLError(`The document has ${names.length} operations; of several, each must have a name.`);
  if (names.length > 1)
    throw new GraphQLError(`The document has ${names.length} operations; say which by operationName: ${listed}.`);
}
