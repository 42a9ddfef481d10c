import {
  type ASTVisitor,
  type DocumentNode,
  type FragmentDefinitionNode,
  GraphQLError,
  Kind,
  type SelectionSetNode,
  type ValidationContext,
} from 'graphql';

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

/** A validation rule: refuses operations that are deeper, wider or have more aliases than anybody needs. */
export function limitOperations(context: ValidationContext): ASTVisitor {
  const measure = createMeasure(context.getDocument());
  return {
    OperationDefinition(node) {
      const size = measure(node.selectionSet);
      for (const [what, most] of Object.entries(LIMITS) as [keyof Size, number][]) {
        if (size[what] <= most) continue;
        const message = `The operation has ${describe(size[what])} ${NAMES[what]}; ${most} is the most accepted here.`;
        context.reportError(new GraphQLError(message, { nodes: node }));
      }
    },
  };
}

const NAMES: Record<keyof Size, string> = {
  depth: 'levels',
  fields: 'fields',
  aliases: 'aliases',
  rootFields: 'fields at its root',
};

const describe = (count: number): string => (Number.isSafeInteger(count) ? String(count) : 'countless');

/** Measures each fragment once, however often it is spread: a chain of fragments may stand for more than can be walked. */
function createMeasure(document: DocumentNode) {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const one of document.definitions) if (one.kind === Kind.FRAGMENT_DEFINITION) fragments.set(one.name.value, one);
  const measured = new Map<string, Size>();

  function measureFragment(name: string): Size {
    const known = measured.get(name);
    if (known) return known;
    // One that spreads itself is refused by another rule; here it must only come to an end.
    measured.set(name, NOTHING);
    const fragment = fragments.get(name);
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
