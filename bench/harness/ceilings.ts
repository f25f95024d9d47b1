import { readFileSync } from 'node:fs'
import type { Device } from '@tau/tensor'
import { type CpuEngine, touches, type WasmModule, wasmModule } from '@tau/tensor/kernel'
import { expectNear, expectSamples, type KernelBench } from '@tau/testing'
import asc from 'assemblyscript/asc'
import { type Ratio, speedup, type Timing } from './race.ts'

/** The yardsticks that rates are compared with. They are benches like any other, measured in the same
 *  rounds. */
export interface Ceilings {
  /** Multiply-adds in registers, in the device's build. They have 256 bits if its products have. */
  readonly multiplyAdd: KernelBench<Device>
  /** A copy by the runtime that moves `bytes`: half are read, half are written. */
  copy(bytes: number): KernelBench<Device>
  /** Loads of `bytes`, for kernels that write next to nothing. A copy would be too low a yardstick for them,
   *  because it waits for its writes. */
  read(bytes: number): KernelBench<Device>
}

type Work = KernelBench<Device>['work']

/** The name of arithmetic's yardstick in the table. */
export const CEILING = 'multiply-add'

/** The share of a yardstick's rate that something reaches: the median over the rounds of one race. */
export function share(
  measured: { readonly timing: Timing; readonly work: Work },
  ceiling: { readonly timing: Timing; readonly work: Work },
): Ratio {
  const amount = (work: Work) => ('flops' in work ? work.flops : work.bytes)
  const { value, spread } = speedup(measured.timing, ceiling.timing)
  return { value: (amount(measured.work) / amount(ceiling.work)) * value, spread }
}

const SOURCE = new URL('assembly/ceilings.ts', import.meta.url)
/** As in assembly/ceilings.ts: how many numbers an item adds to, and how often. */
const [LANES, DEPTH] = [96, 2 ** 17]
/** Enough work for two threads to share: 3 ms for one thread at 125 GFLOPS. */
const ITEMS = 16
/** Bytes that a thread copies at a time. */
const COPY_GRAIN = 2 ** 20

/** The yardsticks are compiled when a bench begins. They are neither shipped nor generated. */
async function compile(...flags: string[]): Promise<{ wasm: string }> {
  let module: Uint8Array | undefined
  const { error, stderr } = await asc.main(
    [
      ...['ceilings.ts', '-o', 'ceilings.wasm', '-O3', '--noAssert', '--runtime', 'stub'],
      ...['--enable', 'simd', '--enable', 'threads', '--importMemory', '--sharedMemory'],
      ...['--initialMemory', '16', '--maximumMemory', '65536', ...flags],
    ],
    {
      readFile: (name) => (name === 'ceilings.ts' ? readFileSync(SOURCE, 'utf8') : null),
      writeFile: (name, content) => {
        if (name.endsWith('.wasm') && typeof content !== 'string') module = content
      },
      listFiles: () => [],
    },
  )
  if (error || !module)
    throw new Error(`bench: the yardsticks must compile, got ${error?.message}\n${stderr.toString()}`)
  return { wasm: Buffer.from(module).toString('base64') }
}

function cpuEngine({ engine }: Device): CpuEngine {
  if (engine.backend !== 'cpu')
    throw new Error(`bench: yardsticks must run on the cpu backend, got ${engine.backend}`)
  return engine
}

const multiplyAdd = (module: WasmModule): KernelBench<Device> => ({
  name: 'ceiling/multiply_add',
  shape: `[${LANES}]`,
  work: { flops: 2 * LANES * DEPTH * ITEMS },
  prepare(device) {
    const launch = cpuEngine(device).kernel(module, 'multiplyAdd')
    const ones = device.tensor(new Float32Array(8).fill(1))
    const sums = device.tensor(new Float32Array(ITEMS * LANES))
    return {
      run: () => launch([ones.handle, sums.handle], ITEMS, 1, touches(ITEMS * LANES)),
      async check() {
        using zeros = device.tensor(new Float32Array(ITEMS * LANES))
        launch([ones.handle, zeros.handle], ITEMS, 1, touches(ITEMS * LANES))
        expectNear(await zeros.data(), new Float32Array(ITEMS * LANES).fill(DEPTH), { atol: 0 })
      },
    }
  },
})

function copy(module: WasmModule, traffic: number): KernelBench<Device> {
  const floats = Math.ceil(traffic / 8)
  return {
    name: 'ceiling/copy',
    shape: `[${floats}]`,
    work: { bytes: 8 * floats },
    prepare(device) {
      const launch = cpuEngine(device).kernel(module, 'copy')
      const from = device.tensor(Float32Array.from({ length: floats }, (_, i) => i % 8191))
      const to = device.tensor(new Float32Array(floats)) // written: pages of zeros would share one page of memory
      const run = () => launch([from.handle, to.handle], 4 * floats, COPY_GRAIN, touches(2 * floats))
      return {
        run,
        async check() {
          run()
          expectSamples(await to.data(), (i) => i % 8191, { atol: 0 })
        },
      }
    },
  }
}

/** As in assembly/ceilings.ts: bytes that an item reads. */
const READ_BLOCK = 2 ** 14
/** Items of a tile: 128 KiB, as the kernels use. */
const READ_GRAIN = 8

function read(module: WasmModule, traffic: number): KernelBench<Device> {
  const blocks = Math.ceil(traffic / READ_BLOCK)
  const floats = (blocks * READ_BLOCK) / 4
  return {
    name: 'ceiling/read',
    shape: `[${floats}]`,
    work: { bytes: 4 * floats },
    prepare(device) {
      const launch = cpuEngine(device).kernel(module, 'read')
      const from = device.tensor(Float32Array.from({ length: floats }, (_, i) => i % 4))
      const sums = device.tensor(new Float32Array(4 * blocks))
      const run = () => launch([from.handle, sums.handle], blocks, READ_GRAIN, touches(floats))
      return {
        run,
        async check() {
          run()
          expectSamples(await sums.data(), (i) => (READ_BLOCK / 16) * (i % 4), { atol: 0 })
        },
      }
    },
  }
}

let compiled: Promise<Ceilings> | undefined

export function ceilings(): Promise<Ceilings> {
  compiled ??= (async () => {
    const relaxed = ['--enable', 'relaxed-simd', '--use', 'RELAXED=1']
    const module = wasmModule('bench', {
      plain: () => compile(),
      relaxed: () => compile(...relaxed),
      wide: () => compile(...relaxed, '--use', 'WIDE=1'),
    })
    for (const build of ['plain', 'relaxed', 'wide'] as const) await module.load(build)
    return {
      multiplyAdd: multiplyAdd(module),
      copy: (bytes: number) => copy(module, bytes),
      read: (bytes: number) => read(module, bytes),
    }
  })()
  return compiled
}
