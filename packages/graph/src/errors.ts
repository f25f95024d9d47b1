/** A rule broken by an argument, or data from which no sound graph follows. Form: `op: rule, got values; next step`. Bytes that are not
 *  what they claim to be are a FormatError of @tau/tensor. */
export class GraphError extends Error {
  override name = 'GraphError'
}
