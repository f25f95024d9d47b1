import { cpu, gpu } from '@tau/tensor'
import { describeDevices, expectNear } from '@tau/testing'
import { expect, it } from 'vitest'
import type { ModelOptions } from './config.ts'
import { randomIds, tiny, tinyModel } from './testing.ts'

const BATCH = 2
const LENGTH = 13

/** Positions start … start+length−1 of tokens [BATCH, LENGTH]. */
const columns = (ids: Int32Array, start: number, length: number): Int32Array =>
  Int32Array.from(
    { length: BATCH * length },
    (_, i) => ids[Math.floor(i / length) * LENGTH + start + (i % length)],
  )

describeDevices(
  'decoding with a state',
  { cpu, gpu },
  (device, deviceName) => {
    const clocks = ['none', 'steady', 'gate'] as const
    const cases = (['tau', 'dot'] as const).flatMap((attention) =>
      clocks.flatMap((clock) =>
        [false, true].map((keyShift): ModelOptions => ({ attention, clock, keyShift, gamma: 0.1 })),
      ),
    )
    const few = cases.filter(({ clock, keyShift }) => clock === 'gate' && keyShift)
    const chunks = [new Array(13).fill(1), [13], [5, 1, 1, 6], [2, 3, 7, 1]]

    it.for(
      (deviceName === 'gpu.js cpu' ? few : cases).map(
        (options) =>
          [`${options.attention}, clock ${options.clock}, shift ${options.keyShift}`, options] as const,
      ),
    )('%s: chunks of any size give the logits of the full pass', async ([, options]) => {
      using model = await tinyModel(device(), { ...options, nHead: 6, nKvHead: 3 })
      const ids = randomIds(BATCH * LENGTH, tiny.vocabSize)
      using scope = device().scope()
      const full = await model.forward(model.tokens(ids, BATCH)).data()
      for (const sizes of chunks) {
        using state = model.decodeState(BATCH)
        let at = 0
        for (const size of sizes) {
          const logits = await model.forward(model.tokens(columns(ids, at, size), BATCH), { state }).data()
          for (let b = 0; b < BATCH; b++) {
            const from = (b * LENGTH + at) * tiny.vocabSize
            // Logits reach 5; λ is good to 1e-7 and a temperature of 0.05 makes 2e-6 of it in the scores.
            expectNear(
              logits.subarray(b * size * tiny.vocabSize, (b + 1) * size * tiny.vocabSize),
              full.subarray(from, from + size * tiny.vocabSize),
              { atol: 1e-4 },
            )
          }
          at += size
          expect(state.length).toBe(at)
        }
      }
      expect(Math.max(...full)).toBeGreaterThan(1)
      void scope
    })

    it('would notice a state that forgets', async () => {
      using model = await tinyModel(device())
      using scope = device().scope()
      const ids = randomIds(BATCH * LENGTH, tiny.vocabSize)
      const full = await model.forward(model.tokens(ids, BATCH), { lastOnly: true }).data()
      using state = model.decodeState(BATCH)
      const alone = await model.forward(model.tokens(columns(ids, LENGTH - 1, 1), BATCH), { state }).data()
      expect(() => expectNear(alone, full, { atol: 1e-2 })).toThrow()
      void scope
    })

    it('holds its memory until it is disposed, whatever scope is open', async () => {
      using model = await tinyModel(device(), { seqLen: 150 })
      const { liveBuffers } = device().memory
      const state = model.decodeState()
      const read = (length: number) => {
        using _scope = device().scope()
        return model
          .forward(model.tokens(randomIds(length, tiny.vocabSize)), { state, lastOnly: true })
          .data()
      }
      await read(3)
      const { cacheBytes } = state
      const held = device().memory.liveBuffers
      for (const length of [60, 1, 80, 1]) {
        expect((await read(length)).every(Number.isFinite)).toBe(true)
        expect(device().memory.liveBuffers).toBe(held) // grown in place of the old, beyond the first capacity
      }
      expect(state.length).toBe(145)
      expect(state.cacheBytes).toBeGreaterThan(cacheBytes)
      state[Symbol.dispose]()
      expect(device().memory.liveBuffers).toBe(liveBuffers)
    })
  },
  ['cpu plain 1 thread', 'cpu relaxed 2 threads', 'gpu.js cpu'],
)
