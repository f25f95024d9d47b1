import { describe, expect, it } from 'vitest'
import { wireKernel } from './wire.ts'

describe('wireKernel', () => {
  it('copies runs of lines', () => {
    const text = `export { exp } from './exp'
export { reluSquared } from './relu-squared'
const cases = [
  ...cases((x) => reluSquared(x)),
]
`
    expect(wireKernel(text, 'relu-squared', 'leaky-relu')).toBe(`export { exp } from './exp'
export { reluSquared } from './relu-squared'
export { leakyRelu } from './leaky-relu'
const cases = [
  ...cases((x) => reluSquared(x)),
  ...cases((x) => leakyRelu(x)),
]
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
