/** Element types: 32-bit floats, and 32-bit integers for indices. */
export type DType = 'f32' | 'i32'

/** The typed array that holds each element type. */
export interface ArrayOf {
  f32: Float32Array
  i32: Int32Array
}

/** Bytes per element, the same for both types. */
export const ELEMENT_BYTES = 4

/** Bytes of an f64. Kernels of the cpu backend keep sums in f64. */
export const F64_BYTES = 8

/** A typed array of `values` for `dtype`. */
export function toTypedArray<D extends DType>(values: ArrayLike<number>, dtype: D): ArrayOf[D] {
  const make: { [K in DType]: () => ArrayOf[K] } = {
    f32: () => Float32Array.from(values),
    i32: () => Int32Array.from(values),
  }
  return make[dtype]()
}
