import { readFileSync } from 'node:fs'
import { createRequire, stripTypeScriptTypes } from 'node:module'

/** Styles and scripts of the pages. */
export interface PageAssets {
  readonly style: string
  readonly script: string
  /** Style for pages with drawings of graphs. */
  readonly graphStyle: string
  readonly graphScript: string
}

/** Reads uPlot from its package, and our styles and scripts from this folder. Only the types are stripped, so
 *  the browser runs the source as it is written. The build replaces this module by its result
 *  (tsup.config.ts), so the bundle reads no files. */
export function pageAssets(): PageAssets {
  const read = (url: string | URL) => readFileSync(url, 'utf8')
  // The block keeps our names out of the global scope of the page.
  const script = (url: URL) => `{\n${stripTypeScriptTypes(read(url)).replace(/^ +$/gm, '')}\n}`
  const resolve = createRequire(import.meta.url).resolve
  return {
    style: `${read(resolve('uplot/dist/uPlot.min.css'))}\n${read(new URL('./report.css', import.meta.url))}`,
    // The build of uPlot declares a global `var uPlot`, so it must stay outside a block.
    script: `${read(resolve('uplot/dist/uPlot.iife.min.js'))}\n${script(new URL('./client.ts', import.meta.url))}`,
    graphStyle: read(new URL('./graph.css', import.meta.url)),
    graphScript: script(new URL('./graph-client.ts', import.meta.url)),
  }
}
