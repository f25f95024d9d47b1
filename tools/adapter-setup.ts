import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { softwareGpu } from './software-gpu.mjs'

const PROBE = `
const { create } = await import(process.argv[1])
const adapter = await create([]).requestAdapter()
console.log(adapter ? adapter.info.description || adapter.info.device || 'an adapter' : '')
`

/** Runs before all tests. Finds the adapter that mode webgpu will have in Node, and names it to the tests.
 *  Without an adapter the tests skip the mode and say so; in CI that is a failure. */
export default function setup(): void {
  Object.assign(process.env, softwareGpu(process.env))
  const require = createRequire(new URL('../packages/tensor/package.json', import.meta.url))
  const webgpu = pathToFileURL(require.resolve('webgpu')).href
  const probe = spawnSync(process.execPath, ['--input-type=module', '-e', PROBE, webgpu], {
    encoding: 'utf8',
  })
  const adapter = probe.status === 0 ? probe.stdout.trim() : ''
  if (adapter) {
    process.env.TAU_ADAPTER = adapter
    return
  }
  const reason = `no adapter for WebGPU in Node: ${probe.stderr.trim().split('\n')[0] || 'no driver'}`
  if (process.env.CI)
    throw new Error(
      `tests: CI must have an adapter for WebGPU, got ${reason}; install chromium and libvulkan1`,
    )
  console.warn(`skipped: mode webgpu, ${reason}`)
}
