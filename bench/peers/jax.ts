import { pinnedVersion, serveProducts } from './serve.ts'

// jax-js on its wasm backend, one thread of SIMD. It needs `navigator`, which Node has since version 21.
await serveProducts(async () => {
  const { blockUntilReady, defaultDevice, init, numpy } = await import('@jax-js/jax')
  if (!(await init('wasm')).includes('wasm')) throw new Error('jax-js has no wasm backend in this runtime')
  defaultDevice('wasm')
  return {
    version: `jax-js ${pinnedVersion('@jax-js/jax')}`,
    setting: 'wasm 1 thread',
    product(a, b, size) {
      const left = numpy.array(a).reshape([size, size])
      const right = numpy.array(b).reshape([size, size])
      const product = () => numpy.matmul(left.ref, right.ref) // a function consumes its arguments
      return {
        async run() {
          const out = product()
          await blockUntilReady(out)
          out.dispose()
        },
        result: () => product().data(),
      }
    },
  }
})
