/** Markup that is safe to insert into a page. Only the functions of this file make it. */
export class Markup {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

type Part = Markup | string | number | undefined | readonly Part[]

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Escapes text for element content and quoted attributes. Control characters that HTML forbids become
 *  U+FFFD. */
export const escapeText = (text: string): string =>
  text
    .replace(/[&<>"']/g, (character) => ENTITIES[character])
    .replace(/(?![\t\n\r])\p{Cc}|\p{Surrogate}/gu, '\uFFFD')

/** Template tag for markup. It escapes every inserted string, inserts {@link Markup} as it is, joins lists,
 *  and leaves out undefined. */
export function html(pieces: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return new Markup(pieces.reduce((text, piece, i) => text + textOf(parts[i - 1]) + piece))
}

/** Marks our own text as markup. Never pass text from outside. */
export const trusted = (text: string): Markup => new Markup(text)

/** JSON for the inside of a script element. It is escaped, so it cannot end the element or start a
 *  comment. */
export const scriptJson = (value: unknown): Markup =>
  new Markup(
    JSON.stringify(value).replace(
      /[<>&\u2028\u2029]/g,
      (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
    ),
  )

function textOf(part: Part): string {
  if (part === undefined) return ''
  if (part instanceof Markup) return part.text
  if (typeof part === 'string') return escapeText(part)
  if (typeof part === 'number') return String(part)
  return part.map(textOf).join('')
}
