/** Rows per chunk. The products of a chunk are summed in f32 and then join the sums in f64. The chunk alone
 *  decides their bits; blocks and threads do not. It is twice KC, the depth of a slice, in
 *  assembly/gram.ts. */
export const CHUNK = 768

/** Multiplies the rows of a Gram matrix. One implementation is plain JavaScript, all in f64. The other is
 *  WebAssembly or a library on the threads of a device, where the products of a chunk are f32. */
export interface GramProducts extends Disposable {
  /** most rows that it holds and multiplies at a time: a multiple of CHUNK */
  readonly capacity: number
  /** Memory for rows that are multiplied in place. */
  buffer(bytes: number): Uint8Array
  /** Whether these rows lie in memory of `buffer`. */
  owns(data: Float64Array | Float32Array): boolean
  /** Copies rows [·, cols] into the held rows, from row `at` on. */
  place(at: number, data: Float64Array | Float32Array): void
  /** The first rows of the held ones. */
  held(rows: number): Float64Array | Float32Array
  /** Adds the products and sums of u = (x − shift)·scale for rows x that are held or in memory of `buffer`.
   *  It overwrites x with u. */
  multiply(x: Float64Array | Float32Array, shift: Float64Array, scale: number): void
  /** Σ u_i u_j [cols, cols], valid at and below the diagonal. */
  products(): Float64Array
  /** Σ u_i [cols]. */
  sums(): Float64Array
}
