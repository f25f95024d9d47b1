/** Rows whose products are summed in f32 before they join the sums in f64. Their bits depend on nothing else: not on blocks, not on
 *  threads. Twice the depth of a slice in assembly/gram.ts. */
export const CHUNK = 768

/** Where the rows of a Gram matrix are multiplied. The two implementations are plain JavaScript, all in f64, and WebAssembly or a
 *  library on the threads of a device, where the products of a chunk are f32. */
export interface GramProducts extends Disposable {
  /** rows that it holds, and multiplies at a time, at most: a multiple of CHUNK */
  readonly capacity: number
  /** Memory for rows that are multiplied where they are. */
  buffer(bytes: number): Uint8Array
  /** Whether rows lie in such memory. */
  owns(data: Float64Array | Float32Array): boolean
  /** Puts rows, [·, cols], at a place of what it holds. */
  place(at: number, data: Float64Array | Float32Array): void
  /** The first rows of what it holds. */
  held(rows: number): Float64Array | Float32Array
  /** Adds the products and sums of u = (x − shift)·scale over rows x that it holds or owns, and leaves u in their place. */
  multiply(x: Float64Array | Float32Array, shift: Float64Array, scale: number): void
  /** Σ u_i u_j [cols, cols], at and below the diagonal. */
  products(): Float64Array
  /** Σ u_i [cols]. */
  sums(): Float64Array
}
