import { describe, expect, it } from 'vitest'
import { LARGE, matmulPlan, SMALL } from './wgsl-plan.ts'

const one = { batch: 1, strideA: 0, strideB: 0 }
const NAMES = new Map([
  [LARGE, 'large'],
  [SMALL, 'small'],
])

/** batch × m × n × k; then tile and parts on a GPU and in software. */
const PLANS = [
  ['1x512x512x512', 'small 1', 'large 2'],
  // Weights of tau-30m and their gradients, at 1024 tokens and at 8192.
  ['1x1024x384x384', 'small 1', 'small 1'],
  ['1x1024x1536x384', 'large 1', 'large 1'],
  ['1x8192x1536x384', 'large 1', 'large 1'],
  ['1x384x384x1024', 'small 1', 'large 4'],
  ['1x384x384x8192', 'large 14', 'large 14'],
  ['1x1536x384x8192', 'large 3', 'large 3'],
  // Enough work for two launches, or many tiles in one.
  ['1x1024x1024x1024', 'large 2', 'large 2'],
  ['1x1024x512x4', 'large 1', 'large 1'],
  ['128x100x100x16', 'large 1', 'large 1'],
  // Too narrow for large tiles, or too few of them.
  ['1x64x4096x512', 'small 1', 'small 1'],
  ['1x128x128x255', 'small 1', 'small 1'],
  ['1x128x128x2048', 'small 8', 'small 8'],
  ['1x8x8x1', 'small 1', 'small 1'],
] as const

describe('matmulPlan', () => {
  it.each(PLANS)('%s: %s on a GPU, %s in software', (shape, hardware, software) => {
    const [batch, m, n, k] = shape.split('x').map(Number)
    const found = [false, true].map((isSoftware) => {
      const { tile, parts } = matmulPlan({ ...one, batch, m, n, k }, isSoftware)
      return `${NAMES.get(tile)} ${parts}`
    })
    expect(found).toEqual([hardware, software])
  })
})
