import { readFileSync } from 'node:fs'
import { createRequire, stripTypeScriptTypes } from 'node:module'

/** Everything the page needs besides its data. */
export interface ReportAssets {
  readonly style: string
  readonly script: string
}

/** Reads uPlot from its package, and our style and script from beside this file; the types are stripped, so the browser runs the
 *  source as written. The build replaces this module by its result (tsup.config.ts): the bundle reads no files. */
export function reportAssets(): ReportAssets {
  const read = (url: string | URL) => readFileSync(url, 'utf8')
  const resolve = createRequire(import.meta.url).resolve
  const client = stripTypeScriptTypes(read(new URL('./client.ts', import.meta.url)))
  return {
    style: `${read(resolve('uplot/dist/uPlot.min.css'))}\n${read(new URL('./report.css', import.meta.url))}`,
    // uPlot's build declares `var uPlot`; the block keeps our own names out of the page.
    script: `${read(resolve('uplot/dist/uPlot.iife.min.js'))}\n{\n${client.replace(/^ +$/gm, '')}\n}`,
  }
}
