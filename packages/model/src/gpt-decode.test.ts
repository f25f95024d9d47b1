import { cpu, gpu } from '@tau/tensor'
import { describeDevices, expectNear } from '@tau/testing'
import { expect, it } from 'vitest'
import type { ModelOptions } from './config/config.ts'
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
    const decays = ['none', 'constant', 'forget-gate'] as const
    const cases = (['tau', 'dot', 'dot-window'] as const).flatMap((attention) =>
      decays.flatMap((decay) =>
        (['none', 'half', 'all'] as const).map(
          (tokenShift): ModelOptions => ({ attention, decay, tokenShift, decayRate: 0.1, window: 5 }),
        ),
      ),
    )
    const few = cases.filter(({ decay, tokenShift }) => decay === 'forget-gate' && tokenShift === 'half')
    const chunks = [new Array(13).fill(1), [13], [5, 1, 1, 6], [2, 3, 7, 1]]

    it.for(
      (deviceName === 'gpu.js cpu' ? few : cases).map(
        (options) =>
          [`${options.attention}, decay ${options.decay}, shift ${options.tokenShift}`, options] as const,
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
      const { memory } = device()
      const model = await tinyModel(device(), { seqLen: 150 })
      const state = model.decodeState()
      const read = (length: number) => {
        using _scope = device().scope()
        return model
          .forward(model.tokens(randomIds(length, tiny.vocabSize)), { state, lastOnly: true })
          .data()
      }
      {
        using _scope = device().scope()
        model.forward(model.tokens(randomIds(150, tiny.vocabSize))) // RoPE's angles, as many as there will be, stay
      }
      await read(3)
      const besides = () => device().memory.liveBytes - state.cacheBytes
      const held = besides()
      for (const length of [60, 1, 80, 1]) {
        expect((await read(length)).every(Number.isFinite)).toBe(true)
        expect(besides()).toBe(held) // only the caches grow
      }
      expect(state.length).toBe(145)
      state[Symbol.dispose]()
      model[Symbol.dispose]()
      expect(device().memory).toEqual(memory)
    })
  },
  ['cpu plain 1 thread', 'cpu relaxed 2 threads', 'gpu.js cpu'],
)

describeDevices(
  'decoding with bounded caches',
  { cpu, gpu },
  (device) => {
    it.for(['none', 'constant', 'forget-gate'] as const)(
      'decay %s: nears the full pass as bins get finer',
      async (decay) => {
        using model = await tinyModel(device(), { decay, decayRate: 0.1 })
        const ids = randomIds(BATCH * LENGTH, tiny.vocabSize)
        using scope = device().scope()
        const full = await model.forward(model.tokens(ids, BATCH), { lastOnly: true }).data()
        const worst: number[] = []
        for (const bins of [2, 16_384]) {
          using state = model.decodeState(BATCH, { cache: 'bounded', bins })
          let last: Float32Array = full
          for (const [at, size] of [
            [0, 5],
            [5, 1],
            [6, 7],
          ])
            last = await model
              .forward(model.tokens(columns(ids, at, size), BATCH), { state, lastOnly: true })
              .data()
          expect(state.length).toBe(LENGTH)
          worst.push(Math.max(...last.map((x, i) => Math.abs(x - full[i]))))
        }
        // δ of a bin of 1/16384 at temperatures near 0.05 is 3e-4, of weights that make logits of up to 5.
        expect(worst[1]).toBeLessThan(1e-3)
        expect(worst[0]).toBeGreaterThan(10 * worst[1])
        void scope
      },
    )

    it('goes on beyond seqLen in the same memory', async () => {
      using model = await tinyModel(device())
      const before = device().memory.liveBuffers
      const state = model.decodeState(1, { cache: 'bounded', bins: 31 })
      const { cacheBytes } = state
      const { liveBytes } = device().memory
      for (const length of [12, 1, 1, 100]) {
        using _scope = device().scope()
        const logits = model.forward(model.tokens(randomIds(length, tiny.vocabSize)), { state })
        expect((await logits.data()).every(Number.isFinite)).toBe(true)
      }
      expect([state.length, state.cacheBytes]).toEqual([114, cacheBytes])
      expect(device().memory.liveBytes).toBe(liveBytes)
      state[Symbol.dispose]()
      expect(device().memory.liveBuffers).toBe(before)
    })

    it('refuses what has no bins', async () => {
      using dot = await tinyModel(device(), { attention: 'dot' })
      expect(() => dot.decodeState(1, { cache: 'bounded' })).toThrow(
        'decodeState: cache must be exact for dot attention, got bounded',
      )
      using model = await tinyModel(device())
      const { liveBuffers } = device().memory
      expect(() => model.decodeState(1, { bins: 64 })).toThrow(
        'decodeState: bins must be left out of an exact cache, got 64',
      )
      expect(() => model.decodeState(1, { cache: 'bounded', bins: 1 })).toThrow(
        'bins must be a whole number from 2 to 65536, got 1',
      )
      expect(device().memory.liveBuffers).toBe(liveBuffers)
    })
  },
  ['cpu plain 1 thread', 'cpu relaxed 2 threads'],
)
