/** √ of the sum of all squares. */
export const globalNormReference = (arrays: readonly Float64Array[]): number =>
  Math.sqrt(arrays.reduce((sum, array) => array.reduce((partial, value) => partial + value * value, sum), 0))
