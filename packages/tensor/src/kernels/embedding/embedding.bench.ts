import { type Benches, bytesOf, opCase, randomInput } from '../case.bench.ts'
import { embedding } from './embedding.ts'

const [VOCABULARY, WIDTH, TOKENS] = [30_522, 384, 4096]

/** Rows of tau-30m's table for four sequences of 1024 tokens, in random order. */
export const benches: Benches = [
  {
    name: 'embedding/tokens',
    shape: '[30522, 384] by [4096]',
    work: { bytes: bytesOf(2 * TOKENS * WIDTH + TOKENS) },
    boundBy: 'rows in no order',
    prepare(device) {
      const table = randomInput(device, [VOCABULARY, WIDTH], 1)
      const ids = Int32Array.from({ length: TOKENS }, (_, i) => (i * 7919) % VOCABULARY)
      const idTensor = device.tensor(ids)
      const expectedAt = (i: number) => table.values[ids[Math.floor(i / WIDTH)] * WIDTH + (i % WIDTH)]
      return opCase(device, () => embedding(table.tensor, idTensor), expectedAt, { atol: 0 })
    },
  },
]
