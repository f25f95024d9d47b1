import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import type { Device } from '../../device.ts'
import { BackendError } from '../../errors.ts'
import { add } from '../../kernels/binary/binary.ts'
import { tensorWasm } from '../../kernels/cpu-module.ts'
import { normal } from '../../kernels/testing.ts'
import { cpu } from './cpu.ts'
import { hasRelaxedSimd } from './features.ts'
import { WORKSPACE_ADDRESS } from './layout.ts'
import { Pool } from './pool.ts'
import { wasmModule } from './wasm-module.ts'
import { hasWideSimd } from './wide.ts'
import { touches } from './work.ts'

const isolation = Object.getOwnPropertyDescriptor(globalThis, 'crossOriginIsolated')

/** As in a page without the headers that allow shared memory. */
const withoutIsolation = () =>
  Object.defineProperty(globalThis, 'crossOriginIsolated', { value: false, configurable: true })

afterEach(() => {
  if (isolation) Object.defineProperty(globalThis, 'crossOriginIsolated', isolation)
  else Reflect.deleteProperty(globalThis, 'crossOriginIsolated')
})

async function stillAdds(device: Device): Promise<void> {
  const x = normal(100_003, 1)
  using _scope = device.scope()
  const tensor = device.tensor(x)
  expect(await add(tensor, tensor).data()).toEqual(x.map((value) => value + value))
}

describe('cpu options', () => {
  it.each([0, -1, 1.5, 257, NaN])('threads: %d is refused', async (threads) => {
    await expect(cpu({ threads })).rejects.toThrow(BackendError)
    await expect(cpu({ threads })).rejects.toThrow(
      `cpu: threads must be a whole number from 1 to 256, got ${threads}`,
    )
  })

  it('simd: an unknown build is refused', async () => {
    const simd = 'fast' as 'plain'
    await expect(cpu({ simd })).rejects.toThrow(
      'cpu: simd must be one of auto, plain, relaxed, wide, widest, got fast',
    )
  })

  it('a thread that cannot start is a BackendError', async () => {
    const notShared = new WebAssembly.Memory({ initial: 1 })
    await expect(Pool.start(notShared, 3)).rejects.toThrow(BackendError)
    await expect(Pool.start(notShared, 3)).rejects.toThrow('cpu: 3 threads must start, got 1: ')
  })

  it('shows a buffer in place, without waiting', async () => {
    const device = await cpu({ threads: 2 })
    const { engine } = device
    if (engine.backend !== 'cpu') throw new Error('internal: cpu() must give a cpu engine')
    const x = device.tensor(Float32Array.from({ length: 5 }, (_, i) => i))
    const sum = add(x, x)
    expect(engine.view(sum.handle, 5)).toEqual(Float32Array.of(0, 2, 4, 6, 8))
    await device.close()
    expect(() => engine.view(sum.handle, 5)).toThrow('view: the device must be open, got a closed one')
  })

  it('says which build and how many threads it uses', async () => {
    const device = await cpu({ threads: 2, simd: 'plain', strict: true })
    expect(device.info).toEqual({ backend: 'cpu', variant: 'simd', threads: 2, fallbacks: [] })
    await device.close()
    const auto = await cpu({ threads: 1 })
    expect(auto.info.variant).toBe(hasRelaxedSimd() ? 'relaxed-simd' : 'simd')
    expect(auto.info.fallbacks).toHaveLength(hasRelaxedSimd() ? 0 : 1)
    await auto.close()
    const wide = await cpu({ threads: 1, simd: 'wide' })
    expect(wide.info.variant).toBe((await hasWideSimd()) ? 'wide-simd' : auto.info.variant)
    expect(wide.info.fallbacks).toHaveLength((await hasWideSimd()) ? 0 : 1)
    await wide.close()
    const widest = await cpu({ threads: 1, simd: 'widest' })
    expect(widest.info).toEqual({ ...wide.info, fallbacks: auto.info.fallbacks })
    await widest.close()
  })

  it('falls back to one thread where memory cannot be shared, and says so; strict makes it an error', async () => {
    withoutIsolation()
    const device = await cpu({ threads: 2, simd: 'plain' })
    expect(device.info).toMatchObject({
      threads: 1,
      fallbacks: ['1 thread instead of 2: the page is not cross-origin isolated, so memory cannot be shared'],
    })
    await stillAdds(device)
    await device.close()
    await expect(cpu({ threads: 2, strict: true })).rejects.toThrow(
      'cpu: strict allows no fallback, got 1 thread instead of 2',
    )
    await (await cpu({ threads: 1, simd: 'plain', strict: true })).close()
  })

  // The child process runs the sources, which older Nodes cannot.
  it.skipIf(!process.features.typescript)('runs on one thread in a runtime without SharedArrayBuffer', () => {
    const index = new URL('../../index.ts', import.meta.url).href
    const program = `
      delete globalThis.SharedArrayBuffer
      const { cpu, sum } = await import(${JSON.stringify(index)})
      const device = await cpu({ threads: 4 })
      const total = await sum(device.tensor(new Float32Array(100003).fill(0.5))).item()
      console.log(JSON.stringify({ threads: device.info.threads, fallbacks: device.info.fallbacks.length, total }))
      await device.close()`
    const args = ['--input-type=module', '--no-warnings', '-e', program]
    const root = fileURLToPath(new URL('../../../', import.meta.url))
    const output = execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
    expect(JSON.parse(output)).toMatchObject({ threads: 1, total: 50_001.5 })
    expect(JSON.parse(output).fallbacks).toBeGreaterThan(0)
  })
})

const text = (name: string) => [name.length, ...Buffer.from(name)]
const section = (id: number, bytes: number[]) => [id, bytes.length, ...bytes]
/** A module whose `job(flag)` waits on the first thread until another has set the word at `flag`, and traps there. */
const TRAP = Uint8Array.of(
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...section(1, [2, 0x60, 1, 0x7f, 0, 0x60, 3, 0x7f, 0x7f, 0x7f, 0]), // (i32), (i32 i32 i32)
  ...section(2, [1, ...text('env'), ...text('memory'), 2, 3, 16, 0x80, 0x80, 4]), // shared, 16 to 65 536 pages
  ...section(3, [2, 0, 1]),
  ...section(6, [1, 0x7f, 1, 0x41, 0, 0x0b]), // the workspace's address
  ...section(7, [2, ...text('setWorkspace'), 0, 0, ...text('job'), 0, 1]),
  ...section(10, [
    ...[2, 6, 0, 0x20, 0, 0x24, 0, 0x0b],
    ...[34, 0, 0x23, 0, 0x41, 0x80, 0x80, 4, 0x46, 0x04, 0x40], // if workspace = 65 536
    ...[0x03, 0x40, 0x20, 0, 0xfe, 0x10, 2, 0, 0x45, 0x0d, 0, 0x0b], // loop until the flag is set
    ...[0x05, 0x20, 0, 0x41, 1, 0xfe, 0x17, 2, 0, 0x00, 0x0b, 0x0b], // else set it; unreachable
  ]),
)

describe('kernels that fail', () => {
  it('in a worker thread surface as BackendError, and the device goes on', async () => {
    expect(WORKSPACE_ADDRESS).toBe(65_536) // what TRAP compares with
    const device = await cpu({ threads: 2, simd: 'plain' })
    const { engine } = device
    if (engine.backend !== 'cpu') throw new Error('not the cpu engine')
    const encoded = Buffer.from(TRAP).toString('base64')
    const text = async () => ({ wasm: encoded })
    const module = wasmModule('trap', { plain: text, relaxed: text })
    await engine.load(module)
    const job = engine.kernel(module, 'job')
    for (let round = 0; round < 3; round++) {
      const flag = engine.alloc(4)
      engine.write(flag, Int32Array.of(0))
      expect(() => job([flag], 2, 1, touches(1))).toThrow(BackendError)
      engine.write(flag, Int32Array.of(0))
      expect(() => job([flag], 2, 1, touches(1))).toThrow(
        'internal: kernel job failed: unreachable (in a worker thread)',
      )
      engine.free(flag)
      await stillAdds(device)
    }
    await device.close()
  })

  it.each([1, 2])(
    'on every tile surface as BackendError with %i threads, and the device goes on',
    async (threads) => {
      const device = await cpu({ threads, simd: 'plain' })
      const { engine } = device
      if (engine.backend !== 'cpu') throw new Error('not the cpu engine')
      const fill = engine.kernel(tensorWasm, 'fill')
      for (const tiles of [1, 64])
        expect(() => fill([4e9, 1], 1000 * tiles, 1000, touches(1000 * tiles))).toThrow(
          'internal: kernel fill failed: memory access out of bounds',
        )
      await stillAdds(device)
      await device.close()
    },
  )

  it('take the number of arguments that they declare', async () => {
    const device = await cpu({ threads: 1, simd: 'plain' })
    const { engine } = device
    if (engine.backend !== 'cpu') throw new Error('not the cpu engine')
    const fill = engine.kernel(tensorWasm, 'fill')
    for (const args of [[64], [64, 1, 2]])
      expect(() => fill(args, 4, 4, touches(4))).toThrow(
        `internal: kernel fill takes 2 arguments, got ${args.length}`,
      )
    await stillAdds(device)
    await device.close()
  })

  it('that do not exist are named', async () => {
    const device = await cpu({ threads: 1, simd: 'plain' })
    const { engine } = device
    if (engine.backend !== 'cpu') throw new Error('not the cpu engine')
    expect(() => engine.kernel(tensorWasm, 'fil')).toThrow(
      'internal: kernel must be exported by its module, got "fil"; rebuild with `npm run wasm`',
    )
    await device.close()
  })
})

describe('a closed device', () => {
  it('refuses work by name, frees in silence, and closes again without complaint', async () => {
    const device = await cpu({ threads: 2, simd: 'plain' })
    const x = device.tensor([1, 2])
    await device.close()
    await device.close()
    await expect(x.data()).rejects.toThrow('read: the device must be open, got a closed one')
    expect(() => device.tensor([1])).toThrow('alloc: the device must be open, got a closed one')
    expect(() => x.write(Float32Array.of(1, 2))).toThrow('write: the device must be open')
    x.dispose()
  })

  it('asks for no more than there is', async () => {
    const device = await cpu({ threads: 1, simd: 'plain' })
    const before = device.memory
    expect(() => device.empty([2 ** 31])).toThrow(BackendError)
    expect(() => device.empty([2 ** 31])).toThrow('alloc: tensors must fit in')
    expect(device.memory).toEqual(before)
    await stillAdds(device)
    await device.close()
  })
})
