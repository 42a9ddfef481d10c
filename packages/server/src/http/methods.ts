import { ENDPOINTS } from './openapi.ts';

/** Which methods a path takes, upper case; none when there is no such path. */
export function findMethods(path: string): string[] {
  const found = ENDPOINTS.filter((endpoint) => {
    const parts = endpoint.path.split('/');
    const given = path.split('/');
    return (
      parts.length === given.length &&
      parts.every((part, i) => part === given[i] || (part.startsWith('{') && given[i] !== ''))
    );
  });
  return [...new Set(found.map((endpoint) => endpoint.method.toUpperCase()))];
}
