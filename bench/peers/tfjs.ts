import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { pinnedVersion, serveProducts } from './serve.ts'

// tfjs-backend-wasm: its SIMD build on one thread. It has threads in browsers only.
await serveProducts(async () => {
  const tfWasm = await import('@tensorflow/tfjs-backend-wasm')
  const tf = await import('@tensorflow/tfjs-core')
  const folder = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'))
  tfWasm.setWasmPaths(`${folder}/`)
  await tf.setBackend('wasm')
  await tf.ready()
  const simd = await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT')
  const threads = await tf.env().getAsync('WASM_HAS_MULTITHREAD_SUPPORT')
  if (tf.getBackend() !== 'wasm' || simd !== true || threads !== false)
    throw new Error(
      `bench: tfjs must run its single-threaded SIMD build, got backend ${tf.getBackend()}, SIMD ${simd}, threads ${threads}`,
    )
  return {
    version: `tfjs-wasm ${pinnedVersion('@tensorflow/tfjs-backend-wasm')}`,
    setting: '1 thread',
    product(a, b, size) {
      const left = tf.tensor2d(a, [size, size])
      const right = tf.tensor2d(b, [size, size])
      return {
        run: () => tf.matMul(left, right).dispose(),
        result: () => tf.tidy(() => tf.matMul(left, right).dataSync<'float32'>()),
      }
    },
  }
})
