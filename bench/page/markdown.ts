/** A Markdown table whose columns are as wide as their widest cell, as `npm run format` would print it. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, ...rows].map((row) => row.map(cellText))
  const widths = head.map((_, i) => Math.max(3, ...lines.map((row) => row[i].length)))
  const text = (row: readonly string[]) => `| ${row.map((cell, i) => cell.padEnd(widths[i])).join(' | ')} |\n`
  const rule = text(widths.map((width) => '-'.repeat(width)))
  const [first, ...others] = lines.map(text)
  return [first, rule, ...others].join('')
}

/** Characters that would end a cell, or begin something else in it, outside of code. */
const cellText = (text: string): string =>
  text.replaceAll(/\s+/g, ' ').trim().replaceAll('|', '\\|').replaceAll('<', '&lt;')

export const codeText = (text: string): string => `\`${text.replaceAll('`', "'")}\``
