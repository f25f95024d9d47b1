import { serveProducts } from '../serve.ts'
import { oneRowOf, productModel } from './model.ts'
import { loadRuntime, openSession, versionOf } from './session.ts'

// Products of two squares by ONNX Runtime on one thread. Arguments: size, folder of the installed packages.
const [, , , modules] = process.argv

await serveProducts(async () => {
  const runtime = await loadRuntime(modules)
  return {
    version: versionOf(runtime),
    setting: '1 thread',
    async product(a, b, size) {
      const model = productModel(size)
      const whole = await openSession(runtime, model, { a, b }, 1)
      const row = await openSession(runtime, oneRowOf(model, 0), { a, b, row: [0] }, 1)
      return { run: async () => void (await row()), result: whole }
    },
  }
})
