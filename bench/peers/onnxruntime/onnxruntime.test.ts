import { cpu } from '@tau/tensor'
import { describe, expect, it } from 'vitest'
import { attentionModel, encodeModel, oneRowOf, productModel } from './model.ts'
import { openOnnxAttention, openOnnxProducts } from './open.ts'

describe('ONNX models', () => {
  it('hand out one row instead of all', () => {
    const model = oneRowOf(attentionModel(2, 5, 3), 1)
    expect(model.output).toEqual({ name: 'row_of', type: 'float32', shape: [1, 1, 6] })
    expect(model.nodes.map(({ operator }) => operator)).toEqual(['GroupQueryAttention', 'Gather'])
    expect(model.inputs.at(-1)).toEqual({ name: 'row', type: 'int32', shape: [1] })
  })

  it('are a few hundred bytes that name their operators', () => {
    for (const [model, operator] of [
      [productModel(7), 'MatMul'],
      [attentionModel(2, 5, 3), 'GroupQueryAttention'],
    ] as const) {
      const bytes = Buffer.from(encodeModel(model))
      expect(bytes.length).toBeLessThan(500)
      expect(bytes.includes(operator)).toBe(true)
    }
  })
})

// The peers check their results before they say that they are ready. They are absent unless the bench has
// installed them.
describe('ONNX Runtime', () => {
  const context = { install: false, line: () => {} }

  it('multiplies', async ({ skip }) => {
    const peer = await openOnnxProducts(context, 23)
    if ('absent' in peer) return skip(peer.absent)
    expect(peer.label).toMatch(/^onnxruntime [\d.]+ 1 thread$/)
    expect(await peer.time(3)).toBeGreaterThan(0)
    await peer.close()
  })

  it.for([
    { heads: 1, length: 67, dim: 64 },
    { heads: 6, length: 131, dim: 64 },
  ])('agrees with our attention of %j', async (shape, { skip }) => {
    const device = await cpu({ threads: 1 })
    try {
      const peer = await openOnnxAttention(context, device, shape)
      if ('absent' in peer) return skip(peer.absent)
      expect(peer.note).toEqual({ version: expect.stringMatching(/^onnxruntime [\d.]+$/), environment: {} })
      expect(await peer.time(2)).toBeGreaterThan(0)
      await peer.close()
    } finally {
      await device.close()
    }
  })
})
