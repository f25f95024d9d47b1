/** Wrong command line or configuration: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** The known name nearest to a wrong one: fewest edits, at most a third of its length (and 2 for short names). A name without its
 *  section counts as near to `section.name`. */
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

/** Levenshtein: insertions, deletions and replacements that make `a` into `b`. */
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

/** A value as a message shows it. */
export function show(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value))
  return text.length > 80 ? `${text.slice(0, 77)}…` : text
}
