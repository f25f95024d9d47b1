import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BufferPool, classBytes } from './buffer-pool.ts'

/** A pool over buffers that are only sizes. */
function countingPool() {
  const destroyed: GPUBuffer[] = []
  let created = 0
  const pool = new BufferPool(
    (size) => {
      created++
      return { size } as GPUBuffer
    },
    (buffer) => destroyed.push(buffer),
  )
  return { pool, destroyed, created: () => created }
}

describe('BufferPool', () => {
  it('has classes that waste at most a fifth and hold vectors of four', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (bytes) => {
        const size = classBytes(bytes)
        expect(size).toBeGreaterThanOrEqual(bytes)
        expect(size % 256).toBe(0)
        expect(size - bytes).toBeLessThanOrEqual(Math.max(256, size / 5))
        expect(classBytes(size)).toBe(size)
      }),
    )
  })

  it('hands released buffers out again, and says which are fresh', () => {
    const { pool, created } = countingPool()
    const first = pool.acquire(1000)
    pool.release(first.buffer)
    expect(pool.counts).toEqual({ live: 0, liveBytes: 0, pooled: 1, pooledBytes: 1024 })
    const second = pool.acquire(1024)
    expect(second).toEqual({ buffer: first.buffer, isFresh: false })
    expect(pool.acquire(1024).isFresh).toBe(true)
    expect(created()).toBe(2)
    expect(pool.counts).toEqual({ live: 2, liveBytes: 2048, pooled: 0, pooledBytes: 0 })
  })

  it('keeps no more than was ever live', () => {
    const { pool, destroyed } = countingPool()
    for (const bytes of [256, 512, 1024, 2048]) pool.release(pool.acquire(bytes).buffer)
    expect(pool.counts.pooledBytes).toBeLessThanOrEqual(2048)
    expect(destroyed.length).toBeGreaterThan(0)
    pool.clear()
    expect(pool.counts).toEqual({ live: 0, liveBytes: 0, pooled: 0, pooledBytes: 0 })
    expect(destroyed).toHaveLength(4)
  })
})
