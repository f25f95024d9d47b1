import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Absent } from '../peers/peer.ts'
import { NODE, type Program, PYTHON } from '../peers/program.ts'
import type { PeerNote } from '../records/record.ts'

/** What a model does: training steps of `length` tokens, or decoding behind `length` tokens. */
export interface ModelTask {
  readonly mode: 'train' | 'decode'
  readonly length: number
  readonly threads: number
  readonly warmUp: number
  readonly steps: number
}

export interface OurRun extends ModelTask {
  readonly attention: 'tau' | 'dot'
  /** Products by the system's BLAS. Absent if there is none. */
  readonly blas: boolean
}

/** The measurements of a model in a process of its own. */
export interface ModelRun {
  readonly label: string
  /** For a peer's model: what a record says of the peer. */
  readonly note?: PeerNote
  /** Milliseconds of steps or tokens. */
  readonly ms: readonly number[]
  /** Peak resident memory. */
  readonly peakBytes: number
  readonly parameters: number
}

interface Ended {
  readonly stdout: string
  readonly stderr: string
  /** Exit code or signal. Undefined if the process succeeded. */
  readonly failure: string | undefined
}

const end = (
  { command: [command, ...options], environment }: Program,
  args: readonly string[],
): Promise<Ended> =>
  new Promise((resolve) =>
    execFile(command, [...options, ...args], { env: environment }, (error, stdout, stderr) =>
      resolve({ stdout, stderr, failure: error ? String(error.signal ?? error.code) : undefined }),
    ),
  )

const lastLine = (text: string): string => text.trimEnd().split('\n').at(-1) ?? ''

/** Our tau-30m. A length that needs too much memory is absent; any other failure is thrown. */
export async function runOurs(task: OurRun): Promise<ModelRun | Absent> {
  const script = fileURLToPath(new URL('model-process.ts', import.meta.url))
  const { stdout, stderr, failure } = await end(NODE, [script, JSON.stringify(task)])
  if (failure === 'SIGKILL') return { absent: 'the system has no more memory: the process was killed' }
  if (failure !== undefined)
    throw new Error(`bench: the process of mode ${task.mode} must succeed, got ${failure}: ${stderr.trim()}`)
  return JSON.parse(lastLine(stdout)) as ModelRun | Absent
}

const TORCH = fileURLToPath(new URL('../peers/torch_gpt.py', import.meta.url))

/** The same trunk with causal dot-product attention in PyTorch. Absent without PyTorch, or without enough
 *  memory. */
export async function runTorch(
  { mode, length, threads, warmUp, steps }: ModelTask,
  program: Program = PYTHON,
): Promise<ModelRun | Absent> {
  const counts = { threads, warmup: warmUp, steps, [mode === 'train' ? 'seq' : 'contexts']: length }
  const flags = Object.entries(counts).flatMap(([name, value]) => [`--${name}`, String(value)])
  const { stdout, stderr, failure } = await end(program, [TORCH, '--mode', mode, ...flags])
  if (failure !== undefined) return { absent: `${failure}: ${lastLine(stderr)}` }
  const result = JSON.parse(lastLine(stdout)) as {
    torch: string
    ms_per_step: number
    peak_rss_mb: number
    parameters: number
  }
  const version = `PyTorch ${result.torch}, attention not fused`
  return {
    label: `${version}, ${threads} threads`,
    note: { version, environment: program.told },
    ms: [result.ms_per_step],
    peakBytes: result.peak_rss_mb * 2 ** 20,
    parameters: result.parameters,
  }
}
