// `npm run kernel:new NAME` makes packages/tensor/src/kernels/NAME, a working copy of relu-squared under the
// new name. It compiles, its tests pass and its bench runs. Then change its maths.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { scaffoldKernel } from './scaffold.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const name = process.argv[2] ?? ''

try {
  const files = scaffoldKernel(root, name)
  // The formatter sorts the imports. npm and pnpm put it on the path.
  const format = spawnSync('biome', ['check', '--write', ...files], {
    cwd: root,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  })
  if (format.status !== 0)
    throw new Error(
      `kernel: biome must format what was written, got ${format.error?.message ?? format.stderr}; run npm run format`,
    )
  const folder = `packages/tensor/src/kernels/${name}`
  console.log(`${files.map((file) => `wrote ${file}`).join('\n')}

It still computes relu(x)². First check that it works:
  npm run wasm && npx vitest run ${folder}
  npm run bench -- kernels --filter ${name}
Then change, in this order: ${name}.ts (header), reference.ts, ${name}.test.ts, packages/tensor/assembly/${name}.ts, wasm.ts, gpu.ts,
${name}.bench.ts. CONTRIBUTING.md says what each must do.`)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
