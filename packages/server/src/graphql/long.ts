import { GraphQLError, GraphQLScalarType, Kind } from 'graphql';

/** Whole numbers beyond 32 bits, as far as JSON carries them; also read from text, as Java's clients send them. */
export const Long = new GraphQLScalarType({
  name: 'Long',
  description: 'Milliseconds since 1970, or another whole number beyond 32 bits.',
  serialize: readLong,
  parseValue: readLong,
  parseLiteral: (node) => readLong(node.kind === Kind.INT || node.kind === Kind.STRING ? node.value : undefined),
});

function readLong(value: unknown): number {
  const number = typeof value === 'string' && /^-?\d{1,16}$/.test(value) ? Number(value) : value;
  if (typeof number === 'number' && Number.isSafeInteger(number)) return number;
  throw new GraphQLError('Long must be a whole number.');
}
