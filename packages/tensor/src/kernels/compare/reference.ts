import type { CompareOp } from './compare.ts'

/** The comparisons, in JavaScript. */
export const compareReference: Record<CompareOp, (a: number, b: number) => number> = {
  equal: (a, b) => Number(a === b),
  notEqual: (a, b) => Number(a !== b),
  less: (a, b) => Number(a < b),
  lessEqual: (a, b) => Number(a <= b),
}
