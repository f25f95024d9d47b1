import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import * as tfWasm from '@tensorflow/tfjs-backend-wasm'
import * as tf from '@tensorflow/tfjs-core'

/** The peer: tfjs-backend-wasm, its SIMD build on one thread (in Node it offers no other; a browser adds threads). */
export interface TfjsPeer {
  readonly version: string
  /** [rows, k]·[k, cols] products of fixed inputs. */
  matmul(
    a: Float32Array,
    b: Float32Array,
    m: number,
    n: number,
    k: number,
  ): { run(): void; result(): Float32Array }
}

export async function openTfjs(): Promise<TfjsPeer> {
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
  const { version } = JSON.parse(readFileSync(`${folder}/../package.json`, 'utf8')) as { version: string }
  return {
    version,
    matmul(a, b, m, n, k) {
      const left = tf.tensor2d(a, [m, k])
      const right = tf.tensor2d(b, [k, n])
      return {
        run: () => tf.matMul(left, right).dispose(),
        result: () => tf.tidy(() => tf.matMul(left, right).dataSync<'float32'>()),
      }
    },
  }
}
