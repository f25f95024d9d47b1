import { describe, expect, it } from 'vitest'
import { wireKernel } from './wire.ts'

describe('wireKernel', () => {
  it('copies runs of lines, and puts entries in their order', () => {
    const text = `import { reluSquared, reluSquaredGrad } from './relu-squared'
const table = {
  abs: abs(engine),
  reluSquared: reluSquaredWasm(engine),
  reluSquaredGrad: reluSquaredGradWasm(engine),
  zeros: zeros(engine),
}
`
    expect(
      wireKernel(text, 'relu-squared', 'leaky-relu'),
    ).toBe(`import { reluSquared, reluSquaredGrad } from './relu-squared'
import { leakyRelu, leakyReluGrad } from './leaky-relu'
const table = {
  abs: abs(engine),
  leakyRelu: leakyReluWasm(engine),
  leakyReluGrad: leakyReluGradWasm(engine),
  reluSquared: reluSquaredWasm(engine),
  reluSquaredGrad: reluSquaredGradWasm(engine),
  zeros: zeros(engine),
}
`)
  })

  it('leaves kernels alone whose name only ends in that of the model', () => {
    const text = "export { linearReluSquared } from './linear'\nexport { reluSquared } from './relu-squared'"
    expect(wireKernel(text, 'relu-squared', 'leaky-relu')).toBe(
      `${text}\nexport { leakyRelu } from './leaky-relu'`,
    )
  })

  it('refuses a file that does not name the model', () => {
    expect(() => wireKernel('nothing', 'relu-squared', 'leaky-relu')).toThrow(/must name relu-squared/)
  })
})
