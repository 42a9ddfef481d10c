import {
  type DocumentNode,
  GraphQLError,
  type GraphQLFormattedError,
  type GraphQLSchema,
  NoFragmentCyclesRule,
  type ParseOptions,
  parse,
  type ValidationRule,
  validate,
} from 'graphql';
import { createSchema, createYoga, type Plugin } from 'graphql-yoga';
import type { Log } from '../deps.ts';
import { toPangolinError } from '../http/errors.ts';
import { endUnshown } from './access-tokens.ts';
import { advise } from './advise.ts';
import type { GraphQLContext } from './context.ts';
import { createDocumentMemory, type DocumentMemory } from './document-memory.ts';
import { presentError, presentInvalid } from './errors.ts';
import { limitOperations, MAX_DOCUMENT_TOKENS, requireShort } from './limits.ts';
import { readMutationShorthand } from './mutation-shorthand.ts';
import { requireOperation } from './require-operation.ts';
import { MUTATIONS, QUERIES, RESOLVERS } from './resolvers.ts';
import { TYPE_DEFS } from './type-defs.ts';

/** As many as anybody reads of what is wrong with a document. */
const MAX_ERRORS = 10;

/** A GraphQL request (GraphQL over HTTP §5.4), once it is known to be one. */
export interface GraphQLRequest {
  query: string;
  variables: Record<string, unknown> | null;
  operationName: string | null;
}

/** Runs requests; answers the response's JSON. */
export type GraphQLAnswerer = (request: GraphQLRequest, context: GraphQLContext) => Promise<string>;

/**
 * Yoga, of which this product wants the execution alone: everything that faces browsers (GraphiQL, landing page, CORS, forms,
 * uploads), batches, and its memory of documents, which whoever is authenticated could fill, is off. Requests reach it
 * from routes.ts, already read, and past its HTTP.
 */
export function createAnswerer(log: Log): GraphQLAnswerer {
  const yoga = createYoga<GraphQLContext>({
    schema: createSchema<GraphQLContext>({ typeDefs: TYPE_DEFS, resolvers: RESOLVERS }),
    plugins: [readDocuments(createDocumentMemory())],
    maskedErrors: { maskError: (error) => present(error, log) },
    graphqlEndpoint: '/',
    graphiql: false,
    landingPage: false,
    cors: false,
    multipart: false,
    batching: false,
    parserAndValidationCache: false,
    logging: false,
  });
  // Yoga's plugins look at the method alone; nothing of a request is in it.
  const request = new Request('http://graphql/', { method: 'POST' });
  return async ({ query, variables, operationName }, context) => {
    const params = { query, ...(variables && { variables }), ...(operationName !== null && { operationName }) };
    const result = await yoga.getResultForParams({ params, request }, context);
    if (!result || Symbol.asyncIterator in result) throw new Error('Nothing is streamed.');
    const text = JSON.stringify(result.errors ? { ...result, errors: result.errors.map(withoutHttp) } : result);
    await endUnshown(context, text);
    return text;
  };
}

/** Yoga notes in an error how it would answer it by HTTP. */
function withoutHttp(error: GraphQLError): GraphQLFormattedError {
  const { extensions: { http: _, ...extensions } = {}, ...rest } = error.toJSON();
  return { ...rest, extensions };
}

/** How documents are parsed and validated: within limits, and with DataHub's way of writing mutations. */
const readDocuments = (memory: DocumentMemory): Plugin => ({
  onParse({ context, setParseFn }) {
    setParseFn((source: string, options?: ParseOptions) => {
      const document = memory.find(source) ?? readDocument(source, options);
      requireOperation(document, context.params.operationName);
      return document;
    });
  },
  onValidate({ setValidationFn, params: { documentAST } }) {
    setValidationFn((schema: GraphQLSchema, document: DocumentNode, rules: readonly ValidationRule[]) => {
      if (memory.isValid(document)) return [];
      // Other rules compare every field with every other one: that is for documents of which it is known that they are small,
      // and come to an end.
      const unmeasured = validate(schema, document, MEASURING_RULES, { maxErrors: MAX_ERRORS });
      return unmeasured.length > 0 ? unmeasured : validate(schema, document, rules, { maxErrors: MAX_ERRORS });
    });
    return ({ valid, result, setResult }) => {
      if (valid) memory.keep(documentAST);
      else setResult(result.map((error) => presentInvalid(advise(error, ROOTS), 'ValidationError')));
    };
  },
});

const MEASURING_RULES = [limitOperations, NoFragmentCyclesRule];

const ROOTS = { queries: QUERIES, mutations: MUTATIONS };

function readDocument(source: string, options: ParseOptions | undefined): DocumentNode {
  requireShort(source);
  try {
    return readMutationShorthand(parse(source, { ...options, maxTokens: MAX_DOCUMENT_TOKENS }), MUTATIONS);
  } catch (error) {
    throw error instanceof GraphQLError ? advise(error, ROOTS) : error;
  }
}

/** Any error on its way out; what was not foreseen is logged, and told to nobody. */
function present(error: unknown, log: Log): GraphQLError {
  if (!(error instanceof GraphQLError)) return presentError(toPangolinError(error, log, 'graphql'));
  const { originalError, extensions } = error;
  if (extensions.classification !== undefined) return error;
  // What a variable leaves of an argument is seen only when the field's turn comes.
  if (originalError instanceof GraphQLError && error.message.startsWith('Argument "'))
    return presentInvalid(error, 'ValidationError');
  // Before anything was fetched, an error is the request's.
  if (error.path === undefined && (originalError === undefined || originalError instanceof GraphQLError))
    return presentInvalid(error, error.message.startsWith('Syntax Error') ? 'InvalidSyntax' : 'ValidationError');
  return presentError(toPangolinError(originalError ?? error, log, 'graphql'));
}
