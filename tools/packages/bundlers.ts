import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'
import { launchChromium, problemsOf, skipsChromium } from '@tau/testing/chromium'
import { run } from './run.ts'

/** A page that uses tensors, a model and a tokenizer. It writes its results into `document.title`. */
const PAGE = `import { createModel } from '@tau/model'
import { cpu, matmul } from '@tau/tensor'
import { trainTokenizer } from '@tau/train'
const device = await cpu()
const x = device.tensor([1, 2, 3, 4], [2, 2])
const product = Array.from(await matmul(x, x).data()).join()
const size = { attention: 'dot', vocabSize: 300, seqLen: 8, nLayer: 1, nHead: 2, nEmbd: 8 }
const model = createModel(device, size, { seed: 1 })
const { shape } = model.forward(model.tokens(Int32Array.of(1, 2, 3)))
const tokenizer = trainTokenizer('the whale and the sea and the whale', { vocabSize: 260 })
document.title = [device.info.threads, product, shape.join('x'), tokenizer.decode(tokenizer.encode('whale'))].join(' ')
`
const EXPECTED = '2 7,10,15,22 1x3x300 whale'

const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript',
  '.html': 'text/html; charset=utf-8',
}

/** Builds the page with Vite, opens it in chromium and reads what it computed on two threads. */
export async function runInBrowser(project: string): Promise<void> {
  const folder = join(project, 'web')
  mkdirSync(folder)
  writeFileSync(join(folder, 'main.js'), PAGE)
  writeFileSync(join(folder, 'index.html'), '<!doctype html><script type="module" src="./main.js"></script>')
  const printed = run('node_modules/.bin/vite', ['build', 'web', '--logLevel', 'warn'], project)
  if (/warn/i.test(printed)) throw new Error(`check: vite must build without a warning, got:\n${printed}`)
  if (skipsChromium()) {
    console.log('packages: skipped opening the built page, because chromium is not installed')
    return
  }
  const server = createServer(({ url = '/' }, response) => {
    const file = normalize(url === '/' ? '/index.html' : url)
    response.setHeader('content-type', TYPES[extname(file)] ?? 'application/octet-stream')
    // Threads need shared memory, and shared memory needs an isolated page.
    response.setHeader('cross-origin-opener-policy', 'same-origin')
    response.setHeader('cross-origin-embedder-policy', 'require-corp')
    try {
      response.end(readFileSync(join(folder, 'dist', file)))
    } catch {
      response.writeHead(404).end()
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const browser = await launchChromium()
  try {
    const page = await browser.newPage()
    const own = `http://127.0.0.1:${port}/`
    const problems = problemsOf(page, own)
    await page.goto(own)
    await page.waitForFunction(() => document.title !== '', undefined, { timeout: 60_000 }).catch(() => {})
    const title = await page.title()
    const serious = problems.filter((text) => !text.includes('404'))
    if (title !== EXPECTED || serious.length > 0)
      throw new Error(
        `check: the built page must compute ${EXPECTED}, got ${title || 'nothing'}; ${serious.join('; ')}`,
      )
  } finally {
    await browser.close()
    server.closeAllConnections()
    server.close()
  }
}

/** Builds the page with webpack. The only warning allowed is that the page is large. */
export function buildWithWebpack(project: string): void {
  writeFileSync(
    join(project, 'webpack.cjs'),
    `require('webpack')(
  {
    ...{ mode: 'production', context: __dirname, entry: './web/main.js', target: 'web', performance: { hints: false } },
    optimization: { minimize: false },
    output: { path: __dirname + '/webpack-out', module: true },
    experiments: { outputModule: true },
  },
  (error, stats) => {
    if (error) throw error
    const { errors, warnings } = stats.toJson({ all: false, errors: true, warnings: true })
    for (const { message, moduleName } of [...errors, ...warnings]) console.error(moduleName + ': ' + message)
    process.exitCode = errors.length + warnings.length > 0 ? 1 : 0
  },
)
`,
  )
  run('node', ['webpack.cjs'], project)
}
