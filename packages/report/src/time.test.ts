import { describe, expect, it } from 'vitest'
import { clock } from './time.ts'

describe('clock', () => {
  it.each([
    [0, '0:00'],
    [59.6, '1:00'],
    [754, '12:34'],
    [4_000, '1:06:40'],
    [-1, '0:00'],
  ])('%d s is %s', (seconds, text) => {
    expect(clock(seconds)).toBe(text)
  })
})
