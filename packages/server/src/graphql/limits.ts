import {
  type ASTVisitor,
  BREAK,
  type DocumentNode,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLResolveInfo,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type ValidationContext,
} from 'graphql';

/** Every place that an error names is found by counting lines anew, so lines are bounded as well. */
const MAX_DOCUMENT = { characters: 100_000, lines: 2_000 } as const;

/** In tokens of the language: names, braces, values. */
export const MAX_DOCUMENT_TOKENS = 2_000;

/** What one operation may ask for, fragments counted where they are spread. Introspection as clients do it stays below. */
const LIMITS = { depth: 15, fields: 500, aliases: 30, rootFields: 20 } as const;

interface Size {
  depth: number;
  fields: number;
  aliases: number;
  rootFields: number;
}

const NOTHING: Size = { depth: 0, fields: 0, aliases: 0, rootFields: 0 };

/** Refuses a document that is longer than anybody writes, before it is parsed. Throws a GraphQLError. */
export function requireShort(document: string): void {
  const { characters, lines } = MAX_DOCUMENT;
  if (document.length > characters)
    throw new GraphQLError(`The document has ${document.length} characters; ${characters} is the most accepted here.`);
  if (document.split(/\r\n|[\n\r]/, lines + 1).length > lines)
    throw new GraphQLError(`The document has more than ${lines} lines.`);
}

/** How many fields are asked of what a field answers. */
export function countFields({ fieldNodes, fragments }: Pick<GraphQLResolveInfo, 'fieldNodes' | 'fragments'>): number {
  const measure = createMeasure((name) => (Object.hasOwn(fragments, name) ? fragments[name] : undefined));
  return fieldNodes.reduce((sum, { selectionSet }) => sum + (selectionSet ? measure(selectionSet).fields : 0), 0);
}

/** A validation rule: refuses operations that are deeper, wider or have more aliases than anybody needs. */
export function limitOperations(context: ValidationContext): ASTVisitor {
  const measure = createMeasure(findFragments(context.getDocument()));
  const limit = (what: string, node: OperationDefinitionNode | FragmentDefinitionNode) => {
    const size = measure(node.selectionSet);
    for (const [counted, most] of Object.entries(LIMITS) as [keyof Size, number][]) {
      if (size[counted] <= most || (counted === 'rootFields' && what === 'fragment')) continue;
      const message = `The ${what} has ${describe(size[counted])} ${NAMES[counted]}; ${most} is the most accepted here.`;
      context.reportError(new GraphQLError(message, { nodes: node }));
      return BREAK;
    }
    return undefined;
  };
  return {
    OperationDefinition: (node) => limit('operation', node),
    FragmentDefinition: (node) => limit('fragment', node),
  };
}

const NAMES: Record<keyof Size, string> = {
  depth: 'levels',
  fields: 'fields',
  aliases: 'aliases',
  rootFields: 'fields at its root',
};

const describe = (count: number): string => (Number.isSafeInteger(count) ? String(count) : 'countless');

type FindFragment = (name: string) => FragmentDefinitionNode | undefined;

function findFragments(document: DocumentNode): FindFragment {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const one of document.definitions) if (one.kind === Kind.FRAGMENT_DEFINITION) fragments.set(one.name.value, one);
  return (name) => fragments.get(name);
}

/** Measures each fragment once, however often it is spread: a chain of fragments may stand for more than can be walked. */
function createMeasure(findFragment: FindFragment) {
  const measured = new Map<string, Size>();

  function measureFragment(name: string): Size {
    const known = measured.get(name);
    if (known) return known;
    // One that spreads itself is refused by another rule; here it must only come to an end.
    measured.set(name, NOTHING);
    const fragment = findFragment(name);
    const size = fragment ? measure(fragment.selectionSet) : NOTHING;
    measured.set(name, size);
    return size;
  }

  function measure({ selections }: SelectionSetNode): Size {
    const total = { ...NOTHING };
    for (const one of selections) {
      if (one.kind === Kind.FIELD) {
        const below = one.selectionSet ? measure(one.selectionSet) : NOTHING;
        total.depth = Math.max(total.depth, below.depth + 1);
        total.fields += below.fields + 1;
        total.aliases += below.aliases + (one.alias ? 1 : 0);
        total.rootFields += 1;
      } else {
        const spread = one.kind === Kind.FRAGMENT_SPREAD ? measureFragment(one.name.value) : measure(one.selectionSet);
        total.depth = Math.max(total.depth, spread.depth);
        total.fields += spread.fields;
        total.aliases += spread.aliases;
        total.rootFields += spread.rootFields;
      }
    }
    return total;
  }

  return measure;
}
