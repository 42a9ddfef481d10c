/** `s3://bucket/table` for `s3://bucket/table/`; the two slashes of a scheme stay. */
export function stripTrailingSlashes(location: string): string {
  let end = location.length;
  while (end > 1 && location[end - 1] === '/') end -= 1;
  return location.slice(0, location[end - 1] === ':' ? end + 2 : end);
}
