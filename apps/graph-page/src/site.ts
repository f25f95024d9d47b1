import { readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

interface Page {
  readonly type: string
  readonly content: Uint8Array | string
}

const HERE = new URL('.', import.meta.url)

/** The files of the page by their paths: index.html and its two scripts, with everything that they import. */
export const bundlePage = async (): Promise<ReadonlyMap<string, Page>> => {
  const { outputFiles } = await build({
    entryPoints: ['page.ts', 'worker.ts'].map((name) => fileURLToPath(new URL(name, HERE))),
    outdir: '/',
    bundle: true,
    format: 'esm',
    target: 'es2023', // lowers `using`
    conditions: ['source'],
    write: false,
    logLevel: 'error',
  })
  const html = { type: 'text/html', content: await readFile(new URL('index.html', HERE), 'utf8') }
  const scripts = outputFiles.map(
    ({ path, contents }) =>
      [`/${path.split(/[\\/]/).at(-1)}`, { type: 'text/javascript', content: contents }] as const,
  )
  return new Map<string, Page>([['/', html], ...scripts])
}

/** A page with these headers is cross-origin isolated, so it can share its memory with threads. */
const ISOLATION = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
}

export interface Site extends AsyncDisposable {
  readonly url: string
}

/** Serves the files on this machine, on the given port or any free one. */
export const serve = async (
  files: ReadonlyMap<string, Page>,
  { isolated, port = 0 }: { isolated: boolean; port?: number },
): Promise<Site> => {
  const server: Server = createServer(({ url = '/' }, response) => {
    const file = files.get(url)
    const headers = isolated ? ISOLATION : {}
    response.writeHead(file ? 200 : 404, { ...headers, 'Content-Type': file?.type ?? 'text/plain' })
    response.end(file?.content ?? 'not found')
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  const address = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${address.port}/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
