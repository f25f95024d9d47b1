import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { renameKernel } from './rename.ts'

describe('renameKernel', () => {
  it('renames every spelling', () => {
    const text = "import { reluSquared, ReluSquaredKernel, RELU_SQUARED } from './relu-squared.ts'"
    expect(renameKernel(text, 'relu-squared', 'leaky-relu')).toBe(
      "import { leakyRelu, LeakyReluKernel, LEAKY_RELU } from './leaky-relu.ts'",
    )
  })

  it('leaves no trace of the model kernel in its own files', () => {
    const folder = fileURLToPath(new URL('../../packages/tensor/src/kernels/relu-squared/', import.meta.url))
    const files = readdirSync(folder)
    expect(files).toEqual(
      expect.arrayContaining([
        'gpu.ts',
        'reference.ts',
        'relu-squared.test.ts',
        'relu-squared.ts',
        'wasm.ts',
      ]),
    )
    for (const file of files)
      expect(renameKernel(readFileSync(folder + file, 'utf8'), 'relu-squared', 'soft-step')).not.toMatch(
        /relu-?_?squared/i,
      )
  })
})
