import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { GPT } from '@tau/model'
import {
  type KernelTotal,
  type PhaseTotal,
  type Profile,
  profileTotals,
  type Total,
  traceOf,
} from '@tau/tensor'
import { writeFileAtomic } from '@tau/tensor/files'
import { profileStep } from '@tau/train'
import { trainOptions } from '../config/config.ts'
import { UsageError } from '../config/errors.ts'
import type { Config } from '../config/schema.ts'
import { columns } from '../io.ts'
import { versions } from './versions.ts'

/** File of the trace, if none is named. */
export const TRACE_FILE = 'runs/profile.json'

/** A shape of a kernel gets its own line only if it takes at least this share of the step. */
const SMALL_SHARE = 0.01

/** Throws unless the backend is cpu. */
export function checkProfiled({ device: { backend } }: Config): void {
  if (backend !== 'cpu')
    throw new UsageError(
      `profile: device.backend must be cpu, because only its kernels can be timed one by one, got ${backend}; leave --backend out`,
    )
}

/** Profiles a step of the model, writes the trace, and returns the table. */
export async function profileRun(
  model: GPT,
  ids: Int32Array | undefined,
  config: Config,
  path: string,
): Promise<string> {
  const profile = await profileStep(model, trainOptions(config), ids)
  await mkdir(dirname(path), { recursive: true })
  const trace = traceOf(profile, { versions: versions(), model: model.config, train: config.train })
  await writeFileAtomic(path, JSON.stringify(trace))
  return profileTable(profile)
}

/** Table of the kernels, most time first, with lines for their large shapes. Below them are the time outside
 *  kernels and the whole step. The lines of kernels and the time outside add up to the step. */
function profileTable(profile: Profile): string {
  const { kernels, phases, kernelMs } = profileTotals(profile)
  const { ms, launches } = profile
  const shown = phases.filter((phase) => phase.kernelMs > 0)
  const ends = [
    ['outside kernels', '', '', ...timeText(ms - kernelMs, ms), '', ''],
    ['step', '', String(launches.length), ...timeText(ms, ms), '', ''],
  ]
  ends[0].push(...shown.map((phase) => msText(phase.ms - phase.kernelMs)))
  ends[1].push(...shown.map((phase) => msText(phase.ms)))
  const header = [
    'kernel',
    'build',
    'calls',
    'ms',
    'share',
    'GFLOPS',
    'GB/s',
    ...shown.map(({ name }) => name),
  ]
  return columns([header, ...kernels.flatMap((total) => kernelRows(total, shown, ms)), ...ends], 2)
}

function kernelRows(total: KernelTotal, phases: readonly PhaseTotal[], stepMs: number): string[][] {
  const { kernel, build, shapes } = total
  const byPhase = phases.map(({ name }) => {
    const ms = total.phases.get(name)
    return ms === undefined ? '' : msText(ms)
  })
  const split = shapes.length < 2 ? [] : shapes.filter(({ ms }) => ms >= SMALL_SHARE * stepMs)
  return [
    [kernel, build, ...figures(total, stepMs), ...byPhase],
    ...split.map((shape) => [`  ${shape.shape}`, '', ...figures(shape, stepMs)]),
  ]
}

const figures = ({ calls, ms, flops, bytes }: Total, stepMs: number): string[] => [
  String(calls),
  ...timeText(ms, stepMs),
  flops > 0 ? rate(flops, ms) : '',
  rate(bytes, ms),
]

const timeText = (ms: number, stepMs: number): string[] => [
  msText(ms),
  `${((100 * ms) / stepMs).toFixed(1)} %`,
]
const msText = (ms: number): string => ms.toFixed(2)
const rate = (amount: number, ms: number): string => (ms > 0 ? (amount / (ms * 1e6)).toFixed(1) : '')
