import { existsSync } from 'node:fs'
import { type Browser, chromium, type Page } from 'playwright-core'

export type { Browser, BrowserContextOptions, Page } from 'playwright-core'

/** The path of Debian's chromium. */
export const CHROMIUM = '/usr/bin/chromium'

const hasChromium = (): boolean => existsSync(CHROMIUM)

/** Whether tests in a browser are skipped: only if there is no browser, and never in CI, where they fail. */
export const skipsChromium = (): boolean => !hasChromium() && !process.env.CI

/** Flags that stop all network traffic of the browser itself. */
const QUIET = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
/** Flags for WebGPU and WebGL by SwiftShader. */
export const SOFTWARE_GPU: readonly string[] = [
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
]
export const NO_GPU: readonly string[] = ['--disable-gpu', '--disable-software-rasterizer']

export async function launchChromium(flags: readonly string[] = []): Promise<Browser> {
  if (!hasChromium()) throw new Error(`chromium: ${CHROMIUM} must exist, got none; install Debian's chromium`)
  return await chromium.launch({ executablePath: CHROMIUM, args: [...QUIET, ...flags] })
}

/** The problems on a page from now on: exceptions, errors and warnings of its console, and requests to
 *  addresses that do not start with `own`. */
export function problemsOf(page: Page, own: string): readonly string[] {
  const problems: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') problems.push(message.text())
  })
  page.on('pageerror', (error) => problems.push(String(error)))
  page.on('request', (request) => {
    const url = request.url()
    if (!/^(data|blob):/.test(url) && !url.startsWith(own)) problems.push(url)
  })
  return problems
}
