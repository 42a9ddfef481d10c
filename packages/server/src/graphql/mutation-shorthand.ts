import { type DocumentNode, Kind, OperationTypeNode, type SelectionSetNode } from 'graphql';

/**
 * Reads `{ createAccessToken(…) {…} }` as the mutation it means: DataHub's documentation leaves the word out. Only where
 * the document is one anonymous operation whose root fields are all mutations; anything else is left as it is.
 */
export function readMutationShorthand(document: DocumentNode, mutations: ReadonlySet<string>): DocumentNode {
  const [operation, ...others] = document.definitions.filter((one) => one.kind === Kind.OPERATION_DEFINITION);
  if (!operation || others.length > 0 || operation.name || operation.operation !== OperationTypeNode.QUERY)
    return document;
  if (!isAllMutations(operation.selectionSet, mutations)) return document;
  const mutation = { ...operation, operation: OperationTypeNode.MUTATION };
  return { ...document, definitions: document.definitions.map((one) => (one === operation ? mutation : one)) };
}

/** Fields written out, none in a fragment: a fragment at the root says of which type it is. */
const isAllMutations = ({ selections }: SelectionSetNode, mutations: ReadonlySet<string>): boolean =>
  selections.every((one) => one.kind === Kind.FIELD && mutations.has(one.name.value));
