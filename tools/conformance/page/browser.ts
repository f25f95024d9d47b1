import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { launchChromium, type Page, SOFTWARE_GPU } from '@tau/testing/chromium'
import { build } from 'esbuild'

/** Bundles page.ts and everything that it imports for a browser. */
async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('page.ts', import.meta.url))],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2023',
    conditions: ['source'],
    external: ['node:*'],
    logLevel: 'error',
  })
  return outputFiles[0].text
}

/** Opens a page in chromium that holds the packages as `window.tauPage` (page.ts), runs `f`, and closes
 *  chromium. The page finds the fixtures of `dir` at /fixtures/. `flags: []` turns WebGPU off. */
export async function inChromium<T>(
  f: (page: Page) => Promise<T>,
  { dir, flags = SOFTWARE_GPU }: { dir?: string; flags?: readonly string[] } = {},
): Promise<T> {
  const script = await bundle()
  const server = createServer(({ url = '/' }, response) => {
    const isFixture = dir !== undefined && url.startsWith('/fixtures/')
    const body = isFixture
      ? readFileSync(join(dir, basename(url)))
      : url === '/page.js'
        ? script
        : '<!doctype html><script type="module" src="/page.js"></script>'
    response.setHeader('content-type', url.endsWith('.js') ? 'text/javascript' : 'text/html; charset=utf-8')
    response.setHeader('cross-origin-opener-policy', 'same-origin')
    response.setHeader('cross-origin-embedder-policy', 'require-corp')
    response.end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const browser = await launchChromium(flags)
  try {
    const page = await browser.newPage()
    const errors: string[] = []
    page.on('pageerror', ({ message }) => errors.push(message))
    await page.goto(`http://127.0.0.1:${port}/`)
    await page
      .waitForFunction(() => 'tauPage' in window)
      .catch((cause) => {
        throw new Error(`the page must load, got ${errors.join('; ') || 'nothing'}`, { cause })
      })
    return await f(page)
  } finally {
    await browser.close()
    server.closeAllConnections()
    server.close()
  }
}
