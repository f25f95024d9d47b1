import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Browser, type BrowserContextOptions, type Page, problemsOf } from '@tau/testing/chromium'
import { build, createServer, preview } from 'vite'

const root = fileURLToPath(new URL('..', import.meta.url))
/** The page, built into its own folder and served by two servers: one cross-origin isolated, one not. */
export interface Site extends AsyncDisposable {
  readonly isolated: string
  readonly open: string
}

export async function buildSite(): Promise<Site> {
  const outDir = mkdtempSync(join(tmpdir(), 'tau-studio-'))
  const common = { root, logLevel: 'error', build: { outDir, emptyOutDir: true } } as const
  await build(common)
  const serve = (headers: Record<string, string>) =>
    preview({ ...common, preview: { host: '127.0.0.1', port: 0, headers } })
  const servers = [
    await serve({}),
    await serve({
      'Cross-Origin-Opener-Policy': 'unsafe-none',
      'Cross-Origin-Embedder-Policy': 'unsafe-none',
    }),
  ]
  const [isolated, open] = servers.map(({ resolvedUrls }) => resolvedUrls!.local[0])
  return {
    isolated,
    open,
    async [Symbol.asyncDispose]() {
      for (const server of servers) await server.close()
      rmSync(outDir, { recursive: true })
    },
  }
}

/** The page as `npm run studio` serves it. */
export async function serveSources(): Promise<AsyncDisposable & { readonly url: string }> {
  const cacheDir = mkdtempSync(join(tmpdir(), 'tau-studio-'))
  const server = await createServer({
    root,
    cacheDir,
    logLevel: 'error',
    server: { host: '127.0.0.1', port: 0 },
  })
  await server.listen()
  return {
    url: server.resolvedUrls!.local[0],
    async [Symbol.asyncDispose]() {
      await server.close()
      rmSync(cacheDir, { recursive: true })
    },
  }
}

/** A tab, with its errors and its requests to other hosts. */
export interface Tab extends AsyncDisposable {
  readonly page: Page
  readonly problems: readonly string[]
}

export async function openTab(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Tab> {
  const page = await browser.newPage(options)
  const problems = problemsOf(page, url)
  await page.goto(url)
  await page.waitForSelector('html[data-state=idle]')
  return { page, problems, [Symbol.asyncDispose]: () => page.close() }
}
