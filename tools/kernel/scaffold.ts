import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { renameKernel, spellings } from './rename.ts'
import { wireKernel } from './wire.ts'

const MODEL = 'relu-squared'
const KERNELS = 'packages/tensor/src/kernels'
const ASSEMBLY = 'packages/tensor/assembly'

/** The files that name a kernel besides its own: the operations for users, and the cases that run in
 *  browsers. */
const LISTS = ['packages/tensor/src/index.ts', 'tools/conformance/kernel-cases.ts']

/** Makes a kernel called `name` in the tree at `root`, a working copy of {@link MODEL}. It writes the
 *  kernel's folder (header, reference, gpu.js kernel, WASM binding, tests, bench), the WASM body, and the
 *  kernel's lines in the {@link LISTS}. Returns the files that it wrote, relative to `root`. If the name is
 *  not in kebab-case or is taken, it throws an Error and writes nothing. */
export function scaffoldKernel(root: string, name: string): string[] {
  if (!/^[a-z]+(-[a-z]+)*$/.test(name))
    throw new Error(
      `kernel: name must be kebab-case, got "${name}"; run for example: npm run kernel:new leaky-relu`,
    )
  const read = (path: string) => readFileSync(join(root, path), 'utf8')
  const renamed = (path: string) => renameKernel(path, MODEL, name)
  const model = [
    ...readdirSync(join(root, KERNELS, MODEL)).map((file) => `${KERNELS}/${MODEL}/${file}`),
    `${ASSEMBLY}/${MODEL}.ts`,
  ]
  const lists = LISTS.map((path) => [path, read(path)] as const)
  const camel = spellings(name)[2]
  const taken = lists.find(([, text]) => new RegExp(`\\b${camel}(Grad)?\\b`).test(text))
  const old = model.map(renamed).find((path) => existsSync(join(root, path)))
  if (taken || old)
    throw new Error(
      `kernel: ${name} must be a new name, got one that ${taken?.[0] ?? old} has; choose another or delete it there`,
    )
  const files = new Map([
    ...model.map((path) => [renamed(path), renamed(read(path))] as const),
    ...lists.map(([path, text]) => [path, wireKernel(text, MODEL, name)] as const),
  ])
  for (const [path, text] of files) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  return Array.from(files.keys())
}
