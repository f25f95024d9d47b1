// npm run kernel NAME: starts packages/tensor/src/kernels/NAME as a working copy of relu-squared under the new name — header,
// reference, tests, WASM body and binding, gpu.js kernel — and prints what is left to do. Change its maths.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { renameKernel } from './rename.ts'

const MODEL = 'relu-squared'
const root = fileURLToPath(new URL('../../packages/tensor', import.meta.url))
const name = process.argv[2]
if (!name || !/^[a-z]+(-[a-z]+)*$/.test(name)) {
  console.error(
    `kernel: name must be kebab-case, got ${name ?? 'none'}; run for example: npm run kernel leaky-relu`,
  )
  process.exit(2)
}
const folder = join(root, 'src/kernels', name)
const body = join(root, 'assembly', `${name}.ts`)
for (const path of [folder, body])
  if (existsSync(path)) {
    console.error(`kernel: ${path} must not exist yet, got one; choose another name or delete it`)
    process.exit(1)
  }

const copy = (from: string, to: string) => {
  writeFileSync(to, renameKernel(readFileSync(from, 'utf8'), MODEL, name), { flag: 'wx' })
  console.log(`wrote ${to}`)
}
mkdirSync(folder, { recursive: true })
for (const file of readdirSync(join(root, 'src/kernels', MODEL)))
  copy(join(root, 'src/kernels', MODEL, file), join(folder, renameKernel(file, MODEL, name)))
copy(join(root, 'assembly', `${MODEL}.ts`), body)

const camel = renameKernel('reluSquared', MODEL, name)
console.log(`
Left to do (the compiler lists what is missing):
  1. packages/tensor/src/kernels/table.ts   ${camel} and ${camel}Grad with their types
  2. packages/tensor/src/kernels/cpu.ts     ${camel}Wasm(engine) and ${camel}GradWasm(engine)
  3. packages/tensor/src/kernels/gpu.ts     ${camel}Gpu(engine) and ${camel}GradGpu(engine)
  4. packages/tensor/assembly/index.ts      export { ${camel}, ${camel}Grad } from './${name}'
  5. packages/tensor/src/index.ts           export { ${camel} } from './kernels/${name}/${name}.ts'
  6. reference and tests first, then the maths; npm test -- packages/tensor/src/kernels/${name}
  7. npm run format, npm run check, npm run changeset`)
