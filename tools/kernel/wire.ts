import { renameKernel, spellings } from './rename.ts'

/** A line of an object or an interface. */
const ENTRY = /^ +(\w+): /

/** `text` with a copy, under the new name, of every run of lines that name kernel `model`: imports, entries of tables, exports. Entries go
 *  where their name belongs among their neighbours; imports are for the formatter to sort. Throws an Error where no line names the model. */
export function wireKernel(text: string, model: string, name: string): string {
  const lines = text.split('\n')
  // From the beginning of a word: linearReluSquared is another kernel.
  const pattern = new RegExp(`\\b(${spellings(model).join('|')})`)
  const isModel = (line: string | undefined) => line !== undefined && pattern.test(line)
  if (!lines.some(isModel))
    throw new Error(`kernel: a file to extend must name ${model}, got one that does not`)
  const wired: string[] = []
  let copies: string[] = []
  for (const [i, line] of lines.entries()) {
    wired.push(line)
    if (!isModel(line)) continue
    copies.push(renameKernel(line, model, name))
    if (isModel(lines[i + 1])) continue
    wired.push(...copies)
    copies = []
  }
  return sortEntries(wired, isModel).join('\n')
}

/** Sorts by name the entries of one line each that stand in a row with the model's. */
function sortEntries(lines: readonly string[], isModel: (line: string | undefined) => boolean): string[] {
  const at = lines.findIndex((line) => ENTRY.test(line) && isModel(line))
  if (at < 0) return [...lines]
  let [begin, end] = [at, at]
  while (ENTRY.test(lines[begin - 1] ?? '')) begin--
  while (ENTRY.test(lines[end] ?? '')) end++
  const key = (line: string) => ENTRY.exec(line)?.[1] ?? ''
  const sorted = lines.slice(begin, end).sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0))
  return lines.toSpliced(begin, end - begin, ...sorted)
}
