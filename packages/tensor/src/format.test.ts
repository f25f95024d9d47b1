import { describe, expect, it } from 'vitest'
import { valuesText } from './format.ts'

const counted = (n: number): number[] => Array.from({ length: n }, (_, i) => i)

describe('valuesText', () => {
  it('nests brackets by axis, with numbers in columns', () => {
    expect(valuesText([2.5], [])).toBe('2.5')
    expect(valuesText([], [0])).toBe('[]')
    expect(valuesText([], [2, 0])).toBe('[[],\n []]')
    expect(valuesText([1, -2, 30, 0.25], [2, 2])).toBe('[[   1,   -2],\n [  30, 0.25]]')
    expect(valuesText(counted(8), [2, 2, 2])).toBe('[[[0, 1],\n  [2, 3]],\n\n [[4, 5],\n  [6, 7]]]')
  })

  it('shows six digits, and what is not a finite number', () => {
    const values = Float32Array.of(1 / 3, 1e-10, 16777216, -0, NaN, Infinity)
    expect(valuesText(values, [6])).toBe('[0.333333,    1e-10, 16777200,       -0,      NaN, Infinity]')
  })

  it('shows the ends of long axes only', () => {
    expect(valuesText(counted(65), [65])).toBe('[ 0,  1,  2, ..., 62, 63, 64]')
    expect(valuesText(counted(70), [35, 2])).toBe(
      '[[ 0,  1],\n [ 2,  3],\n [ 4,  5],\n ...,\n [64, 65],\n [66, 67],\n [68, 69]]',
    )
  })
})
