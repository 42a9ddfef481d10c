import { GraphQLError } from 'graphql';

/** The names of what may be asked for at the root of an operation. */
interface Roots {
  queries: ReadonlySet<string>;
  mutations: ReadonlySet<string>;
}

const UNKNOWN_ROOT = /^Cannot query field "(\w+)" on type "(Query|Mutation)"\./;

/** A word left out, or a part of DataHub that this server is not: an error of a document, with what to do about it. */
export function advise(error: GraphQLError, roots: Roots): GraphQLError {
  const [known, name, type] = UNKNOWN_ROOT.exec(error.message) ?? [];
  if (known === undefined || name === undefined) return isNothingSelected(error) ? extend(error, NO_METADATA) : error;
  if (type === 'Query' && roots.mutations.has(name))
    return replace(error, `${known} It is a mutation: write mutation { ${name} … }.`);
  if (type === 'Mutation' && roots.queries.has(name))
    return replace(error, `${known} It is a query: write query { ${name} … }.`);
  if (error.message !== known) return error;
  const served = [...(type === 'Query' ? roots.queries : roots.mutations)].join(', ');
  return extend(error, `${NO_METADATA} There are ${served}.`);
}

const NO_METADATA = 'Of DataHub, this server has access tokens and service accounts, and no metadata.';

/** DataHub's clients leave out of a query what a server does not have, and send what remains: at times, nothing. */
const isNothingSelected = ({ message, source, positions }: GraphQLError): boolean =>
  message.startsWith('Syntax Error: Expected Name, found "}"') &&
  /\{[\s,]*$/.test(source?.body.slice(0, positions?.[0]) ?? '');

const extend = (error: GraphQLError, advice: string): GraphQLError => replace(error, `${error.message} ${advice}`);

const replace = (error: GraphQLError, message: string): GraphQLError =>
  new GraphQLError(message, {
    nodes: error.nodes ?? null,
    source: error.source ?? null,
    positions: error.positions ?? null,
  });
