/** A rule broken by an argument, or data from which no sound graph follows. Form: `op: rule, got values; next step`. */
export class GraphError extends Error {
  override name = 'GraphError'
}

/** Bytes or text that are not what they claim to be: truncated, lying about a size, of an unsupported type. */
export class FormatError extends Error {
  override name = 'FormatError'
}
