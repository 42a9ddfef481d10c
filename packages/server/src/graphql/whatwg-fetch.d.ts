/**
 * What Yoga's types take from @whatwg-node/fetch, as Node has it (tsconfig.json, `paths`): the package's own types would
 * bring a browser's globals into the whole server.
 */
export declare function createFetch(): {
  fetch: typeof fetch;
  Request: typeof Request;
  Response: typeof Response;
  Headers: typeof Headers;
  FormData: typeof FormData;
  URL: typeof URL;
  URLSearchParams: typeof URLSearchParams;
};
declare const NodeResponse: typeof Response;
type NodeResponse = Response;

export { NodeResponse as Response };
