import { renameKernel, spellings } from './rename.ts'

/** `text` in which every run of lines that name the kernel `model` is repeated under the new name. Such lines
 *  are exports and cases. Throws an Error if no line names the model. */
export function wireKernel(text: string, model: string, name: string): string {
  const lines = text.split('\n')
  // A name must begin a word, because linearReluSquared is another kernel.
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
  return wired.join('\n')
}
