import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gpuModes } from '@tau/testing'
import { build } from 'tsup'
import { describe, expect, it } from 'vitest'
import { BackendError } from '../../errors.ts'
import { gpu } from './gpu.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))

describe('gpu', () => {
  it.each(gpuModes)('opens mode %s without a fallback', async (mode) => {
    const device = await gpu({ mode, strict: true })
    const { adapter, ...info } = device.info
    expect(info).toEqual({ backend: 'gpu', variant: mode, threads: 1, fallbacks: [] })
    expect(adapter !== undefined).toBe(mode === 'webgpu')
    await device.close()
  })

  it('takes the first mode that opens, says why not those before it, and throws when strict', async () => {
    const device = await gpu()
    const [first] = gpuModes
    expect(device.info.variant).toBe(first)
    await device.close()
    const isReal = first === 'webgpu' && !/swiftshader|llvmpipe/i.test(device.info.adapter ?? '')
    if (isReal) expect(device.info.fallbacks).toEqual([])
    else {
      expect(device.info.fallbacks[0]).toMatch(/^(not webgpu|no GPU): /)
      await expect(gpu({ strict: true })).rejects.toThrow('gpu: strict allows no fallback')
    }
  })

  it('refuses modes it does not know', async () => {
    const mode = JSON.parse('"webgl"')
    await expect(gpu({ mode })).rejects.toThrow(BackendError)
    await expect(gpu({ mode })).rejects.toThrow(
      'gpu: mode must be one of webgpu, webgl2, webasm, cpu, got webgl',
    )
  })

  it('runs from a minified bundle, and says what is missing without gpu.js', async () => {
    // Inside the package, so that the bundle finds gpu.js.
    const folder = mkdtempSync(join(root, 'node_modules', 'minified-'))
    try {
      const entry = join(folder, 'entry.ts')
      writeFileSync(entry, ENTRY)
      await build({
        entry: [entry],
        outDir: folder,
        format: 'esm',
        target: 'es2023',
        minify: true,
        splitting: false,
        external: ['gpu.js'],
        config: false,
        silent: true,
      })
      const bundle = join(folder, 'entry.js')
      expect(readFileSync(bundle, 'utf8')).not.toContain('GpuEngine') // it is minified
      const lines = execFileSync(process.execPath, [bundle], { encoding: 'utf8' }).trim().split('\n')
      const result = { loss: '1.386294', dX: ['0.125000', '-0.375000', '0.125000', '0.125000'] }
      expect(lines.map((line) => JSON.parse(line))).toEqual(gpuModes.map((mode) => ({ mode, ...result })))
      const code = readFileSync(bundle, 'utf8')
      const outputWithout = (name: string) => {
        writeFileSync(bundle, code.replaceAll(`"${name}"`, `"no-such-${name}"`))
        return () => execFileSync(process.execPath, [bundle], { encoding: 'utf8', stdio: 'pipe' })
      }
      expect(outputWithout('gpu.js')).toThrow(
        'gpu: the package gpu.js must be installed, got none; run `npm install gpu.js@2`',
      )
      // webgpu is also the name of the mode, so the changed bundle uses the new name for both.
      if (gpuModes.includes('webgpu'))
        expect(outputWithout('webgpu')).toThrow(
          'gpu: mode webgpu needs the package webgpu in Node, got none; run `npm install webgpu`',
        )
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

/** Uniform logits over 4 classes: the loss is ln 4, the gradient (1/4 − [c = target]) / rows. */
const ENTRY = `
import { crossEntropy, grad, gpu, mul } from '${join(root, 'src/index.ts')}'
for (const mode of ${JSON.stringify(gpuModes)} as const) {
  const device = await gpu({ mode })
  const x = device.tensor([0, 0, 0, 0, 0, 0, 0, 0], [2, 4])
  const { value, grads } = grad(() => crossEntropy(mul(x, device.tensor([1])), device.tensor(Int32Array.of(1, 3))), [x])
  const dX = [...(await grads[0].data())].slice(0, 4)
  console.log(JSON.stringify({ mode, loss: (await value.item()).toFixed(6), dX: dX.map((v) => v.toFixed(6)) }))
  await device.close()
}
`
