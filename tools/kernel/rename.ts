/** The spellings of a kernel's name in its files: kebab-case, PascalCase, camelCase, CONSTANT_CASE. */
export const spellings = (name: string): string[] => {
  const words = name.split('-')
  const pascal = words.map((word) => word[0].toUpperCase() + word.slice(1)).join('')
  return [name, pascal, pascal[0].toLowerCase() + pascal.slice(1), words.join('_').toUpperCase()]
}

/** `text` with the kernel `from` renamed to `to` in every spelling: kebab-case, PascalCase, camelCase,
 *  CONSTANT_CASE. */
export function renameKernel(text: string, from: string, to: string): string {
  const target = spellings(to)
  return spellings(from).reduce((current, spelling, i) => current.replaceAll(spelling, target[i]), text)
}
