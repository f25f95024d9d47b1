/** Error of a wrong command line or configuration. Its exit code is 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** The known name that is nearest to a wrong one: the one with the fewest edits. Allows edits of up to a
 *  third of its length, and at least 2. A name without its section is near to `section.name`. Undefined if no
 *  name is near. */
export function nearest(wrong: string, known: readonly string[]): string | undefined {
  const last = (name: string) => name.slice(name.lastIndexOf('.') + 1).toLowerCase()
  const limit = Math.max(2, Math.floor(last(wrong).length / 3))
  let best: string | undefined
  let fewest = limit + 1
  for (const name of known) {
    const moved = name.slice(0, name.lastIndexOf('.')) === wrong.slice(0, wrong.lastIndexOf('.')) ? 0 : 0.5
    const edits = editDistance(last(wrong), last(name)) + moved
    if (edits < fewest) [best, fewest] = [name, edits]
  }
  return best
}

/** Levenshtein distance: the fewest insertions, deletions and replacements that turn `a` into `b`. */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)))
    row = next
  }
  return row[b.length]
}

/** A value as text for a message, cut to 78 characters if it is longer than 80. */
export function show(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value))
  return text.length > 80 ? `${text.slice(0, 77)}…` : text
}
