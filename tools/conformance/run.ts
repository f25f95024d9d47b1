// npm run conformance -- [--fixtures DIR] [--backend cpu|gpu] [--mode webgpu|webgl2|webasm|cpu] [--threads N]
// [--simd plain|relaxed|wide] [--blas] [--browser] [--optional] [--json FILE]
import { existsSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { openBlas } from '@tau/blas'
import { BackendError, cpu, type Device, type DeviceInfo, GPU_MODES, gpu } from '@tau/tensor'
import { fixturesFolder, groupFiles, readGroups } from '@tau/testing/oracle/files'
import { type GroupReport, passed, runConformance } from './conformance.ts'

const HELP = `Runs the cases of the oracle through the public packages, in f32.

  --fixtures DIR   folder of the oracle's files, for another seed; default tools/oracle/fixtures (seed 1)
  --backend NAME   cpu (default) or gpu
  --mode NAME      gpu.js mode of the gpu backend: webgpu (default), webgl2 (in a browser), webasm
                   or cpu
  --threads N      threads of the cpu backend; default 2
  --simd NAME      build of the cpu backend: auto (default), plain, relaxed or wide
  --blas           multiply matrices of the cpu backend by the system's BLAS
  --blas-path FILE use the BLAS library in FILE
  --browser        run in a page of Debian's chromium instead of Node; gpu backend only
  --optional       skip a device that this machine does not have, and print the reason
  --json FILE      write the figures to FILE
A group of DIR that has no runner is reported as not run and counts as no failure.
Exit status: 0 all passed, 1 a case failed or a group is missing.`

const options = {
  fixtures: { type: 'string' },
  backend: { type: 'string', default: 'cpu' },
  mode: { type: 'string', default: 'webgpu' },
  threads: { type: 'string', default: '2' },
  simd: { type: 'string', default: 'auto' },
  blas: { type: 'boolean', default: false },
  'blas-path': { type: 'string' },
  browser: { type: 'boolean', default: false },
  optional: { type: 'boolean', default: false },
  json: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const

function readFlags() {
  try {
    return parseArgs({ options }).values
  } catch (error) {
    console.error(`conformance: ${error instanceof Error ? error.message : error}; --help lists the options`)
    process.exit(2)
  }
}
const values = readFlags()

function choose<const T extends string>(flag: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((name) => name === value)
  if (!found) throw new Error(`conformance: --${flag} must be ${allowed.join(' or ')}, got ${value}`)
  return found
}

async function openDevice(): Promise<Device> {
  const backend = choose('backend', values.backend, ['cpu', 'gpu'])
  if (backend === 'gpu') return gpu({ mode: choose('mode', values.mode, GPU_MODES) })
  const path = values['blas-path']
  return cpu({
    threads: Number(values.threads),
    ...((values.blas || path) && { gemm: openBlas(path ? { path } : {}) }),
    simd: choose('simd', values.simd, ['auto', 'plain', 'relaxed', 'wide']),
    strict: true,
  })
}

interface Run {
  readonly info: DeviceInfo
  readonly reports: readonly GroupReport[]
}

/** Runs in this process and shows each group as it ends. */
async function runHere(dir: string): Promise<Run> {
  const device = await openDevice()
  showDevice(device.info, dir)
  const reports = await runConformance(readGroups(dir), device, showGroup)
  await device.close()
  return { info: device.info, reports }
}

async function runInBrowser(dir: string): Promise<Run> {
  if (values.backend !== 'gpu')
    throw new Error(`conformance: --browser must come with --backend gpu, got --backend ${values.backend}`)
  const mode = choose('mode', values.mode, GPU_MODES)
  const { inChromium } = await import('./page/browser.ts')
  const run = await inChromium(
    (page) =>
      page.evaluate(
        async ([mode, files]) => {
          const { device, reports } = await window.tauPage.conformance(mode, files)
          return { info: device, reports }
        },
        [mode, groupFiles(dir)] as const,
      ),
    { dir },
  )
  showDevice(run.info, dir)
  run.reports.forEach(showGroup)
  return run
}

function showDevice({ backend, variant, threads, adapter }: DeviceInfo, dir: string): void {
  const place = adapter ?? `${threads} thread(s)`
  console.log(`conformance on ${backend} ${variant}, ${place}, fixtures ${dir}`)
}

function showGroup({ group, algorithm, present, hasRunner, cases, failed, worst }: GroupReport): void {
  if (!hasRunner) {
    console.log(
      `${group.padEnd(26)} ${String(cases).padStart(3)} cases  NOT RUN: tools/conformance/groups has no runner for it`,
    )
    return
  }
  const verdict = !present ? 'MISSING' : failed.length > 0 ? `FAILED ${failed.length}` : 'ok'
  const title = algorithm ? `${group} ${algorithm}` : group
  console.log(
    `${title.padEnd(26)} ${String(cases).padStart(3)} cases  worst ${worst.error.toFixed(3)} of tolerance  ${verdict}`,
  )
  for (const { name, message } of failed) console.log(`  ${name}: ${message}`)
}

async function main(): Promise<number> {
  if (values.help) {
    console.log(HELP)
    return 0
  }
  const { fixtures } = values
  const dir = fixtures === undefined ? fixturesFolder : resolve(process.env.TAU_CWD ?? '.', fixtures)
  if (!existsSync(dir))
    throw new Error(`conformance: --fixtures must be a folder of the oracle's files, got ${dir}`)
  let run: Run
  try {
    run = await (values.browser ? runInBrowser : runHere)(dir)
  } catch (error) {
    if (!values.optional || !(error instanceof BackendError)) throw error
    console.log(`0 passed, 0 failed, 1 device skipped: ${error.message}`)
    return 0
  }
  const { info, reports } = run
  const ok = passed(reports)
  if (values.json)
    writeFileSync(
      resolve(process.env.TAU_CWD ?? '.', values.json),
      `${JSON.stringify({ device: info, passed: ok, groups: reports }, null, 2)}\n`,
    )
  const sum = (count: (report: GroupReport) => number) =>
    reports.reduce((total, report) => total + count(report), 0)
  const passes = sum(({ hasRunner, cases, failed }) => (hasRunner ? cases - failed.length : 0))
  // A missing group counts as one failure.
  const failures = sum(({ present, failed }) => failed.length + (present ? 0 : 1))
  const notRun = sum(({ hasRunner, cases }) => (hasRunner ? 0 : cases))
  console.log(`${passes} passed, ${failures} failed${notRun > 0 ? `, ${notRun} skipped` : ''}`)
  return ok ? 0 : 1
}

main().then(
  (status) => {
    process.exitCode = status
  },
  (error) => {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 2
  },
)
