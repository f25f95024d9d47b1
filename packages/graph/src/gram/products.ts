/** Rows whose products are summed in f32 before they join the sums in f64. Their bits depend on nothing else: not on blocks, not on
 *  threads. Twice the depth of a slice in assembly/gram.ts. */
export const CHUNK = 768

/** Where the rows of a Gram matrix are multiplied. The two implementations are plain JavaScript, all in f64, and WebAssembly or a
 *  library on the threads of a device, where the products of a chunk are f32. */
export interface GramProducts extends Disposable {
  /** rows that it holds before it must multiply, a multiple of CHUNK */
  readonly capacity: number
  /** Puts rows, [·, cols], at a place of what it holds. */
  place(at: number, data: Float64Array | Float32Array): void
  /** The first rows of what it holds. */
  head(rows: number): Float64Array | Float32Array
  /** Adds the products and sums of u = (x − shift)·scale over the first `rows` rows that it holds. */
  multiply(rows: number, shift: Float64Array, scale: number): void
  /** Σ u_i u_j [cols, cols], at and below the diagonal. */
  products(): Float64Array
  /** Σ u_i [cols]. */
  sums(): Float64Array
}
