import { type Benches, bytesOf, opCase, randomInput, rowAt } from '../case.bench.ts'
import { argmax } from './argmax.ts'

const [TOKENS, VOCABULARY] = [256, 30_522]

/** The most probable next token of 256 rows of logits. */
export const benches: Benches = [
  {
    name: 'argmax/vocabulary',
    shape: '[256, 30522] to [256]',
    work: { bytes: bytesOf(TOKENS * VOCABULARY + TOKENS) },
    readsOnly: true,
    boundBy: 'one comparison at a time',
    prepare(device) {
      const x = randomInput(device, [TOKENS, VOCABULARY], 1)
      const expectedAt = (token: number) => {
        const row = rowAt(x.values, token * VOCABULARY, VOCABULARY)
        return row.indexOf(row.reduce((a, b) => Math.max(a, b)))
      }
      return opCase(device, () => argmax(x.tensor, -1), expectedAt, { atol: 0 })
    },
  },
]
