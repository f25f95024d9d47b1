import { GPU } from 'gpu.js'
import { pinnedVersion, serveProducts } from './serve.ts'

// gpu.js without a GPU, in the mode of the second argument: compiled to WebAssembly, or plain JavaScript.
const mode = process.argv[3]

await serveProducts(async () => {
  if (mode !== 'cpu' && mode !== 'webasm') throw new Error(`gpu.js mode must be cpu or webasm, got ${mode}`)
  const gpu = new GPU({ mode })
  return {
    version: `gpu.js ${pinnedVersion('gpu.js')}`,
    setting: `${mode} 1 thread`,
    product(a, b, size) {
      const rows = (values: Float32Array) =>
        Array.from({ length: size }, (_, row) => values.slice(row * size, (row + 1) * size))
      const [left, right] = [rows(a), rows(b)]
      const kernel = gpu
        .createKernel(function (
          this: { thread: { x: number; y: number }; constants: { size: number } },
          x: number[][],
          y: number[][],
        ) {
          let sum = 0
          for (let k = 0; k < this.constants.size; k++) sum += x[this.thread.y][k] * y[k][this.thread.x]
          return sum
        })
        .setConstants({ size })
        .setOutput([size, size])
      const product = () => kernel(left, right) as Float32Array[]
      return {
        run: () => void product(),
        result: () => Float32Array.from(product().flatMap((row) => Array.from(row))),
      }
    },
  }
})
