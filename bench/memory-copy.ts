// (module (memory (export "memory") 1)
//   (func (export "copy") (param i32 i32 i32) (memory.copy (local.get 0) (local.get 1) (local.get 2))))
const MODULE = Uint8Array.of(
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...[0x01, 0x07, 0x01, 0x60, 0x03, 0x7f, 0x7f, 0x7f, 0x00], // type: (i32, i32, i32) → ()
  ...[0x03, 0x02, 0x01, 0x00], // function 0 has type 0
  ...[0x05, 0x03, 0x01, 0x00, 0x01], // memory of one page
  ...[
    0x07, 0x11, 0x02, 0x06, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, 0x02, 0x00, 0x04, 0x63, 0x6f, 0x70, 0x79,
    0x00, 0x00,
  ],
  ...[0x0a, 0x0e, 0x01, 0x0c, 0x00, 0x20, 0x00, 0x20, 0x01, 0x20, 0x02, 0xfc, 0x0a, 0x00, 0x00, 0x0b],
)
const PAGE_BYTES = 65_536

/** The yardstick of memory-bound kernels: WebAssembly's own `memory.copy` on one thread, between two buffers. */
export class MemoryCopy {
  readonly #memory: WebAssembly.Memory
  readonly #copy: (target: number, source: number, bytes: number) => void

  constructor() {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(MODULE))
    this.#memory = exports.memory as WebAssembly.Memory
    this.#copy = exports.copy as (target: number, source: number, bytes: number) => void
  }

  /** A call that moves `traffic` bytes: half of them read, half written. */
  mover(traffic: number): () => void {
    const bytes = Math.ceil(traffic / 2 / 64) * 64
    const missing = 2 * bytes - this.#memory.buffer.byteLength
    if (missing > 0) this.#memory.grow(Math.ceil(missing / PAGE_BYTES))
    new Uint8Array(this.#memory.buffer, 0, 2 * bytes).fill(1) // untouched pages would be read from one page of zeros
    return () => this.#copy(bytes, 0, bytes)
  }
}
