import { BackendError } from '../../errors.ts'
import type { Handle } from '../engine.ts'

/** Below this, `Math.floor((i + 0.5) / n)` is exact. The division on a GPU may be wrong by 2.5 units in the
 *  last place, which is less than half of 1 / n there. `Math.floor(i / n)` is not exact if n divides i. */
export const MAX_DIVIDED = 2 ** 20
/** Indices are 32-bit integers in gpu.js. */
export const MAX_ELEMENTS = 2 ** 31 - 1
/** A GPU may allow only 8 buffers, and one of them is the output. */
const MAX_BUFFERS = 7

/** Kind of a kernel's argument: a tensor's buffer (read as `x[i]`), a whole number below 2³¹, or an f32. */
export type GpuArgument = 'buffer' | 'int' | 'float'

/** A gpu.js kernel as text, because a minifier would change a function. The body runs once per element of the
 *  output, at `this.thread.x` (fastest), `.y` and `.z`, and returns the element.
 *
 *  Follow these rules. gpu.js does not report a broken rule; it computes wrong numbers. {@link checkKernel}
 *  refuses what it can detect.
 *  - A local variable is an f32, also if it holds an index or counts a loop. One f32 in a sum makes the whole
 *    sum f32, which is exact only below 2²⁴. Write a large index at the place of use, from `int` arguments,
 *    `this.thread`, and `(v | 0)` for variables: `x[this.thread.y * cols + (k | 0)]`.
 *  - `/` also works in f32, and a GPU's division is not exact. Divide indices only below {@link MAX_DIVIDED}
 *    and as written there, or spread the output over x, y and z. Do not use `%`.
 *  - Do not use `continue`. Do not write `NaN`: pass it as a float. Do not find NaN with `v !== v`: use
 *    {@link isNanText}.
 *  - Use at most 7 buffers. Give every `let` a value.
 *  - Math.max, Math.min and Math.exp turn NaN into numbers on a GPU. For Math.tanh and Math.log1p see
 *    `text.ts`.
 *  - Read only inside a buffer: guard the read with `if` or clamp the index. An empty buffer reads as one
 *    zero. */
export interface GpuKernel {
  /** An identifier, shown in errors. */
  readonly name: string
  /** Arguments, in the order of the launch. */
  readonly args: Readonly<Record<string, GpuArgument>>
  readonly body: string
}

/** Sizes of a kernel's output along thread.x, thread.y and thread.z. Their product is the length of the
 *  target. */
export type GpuOutput = readonly [number] | readonly [number, number] | readonly [number, number, number]

/** Enqueues one run. `args` holds handles for buffers and numbers for the other arguments, in the order of
 *  the definition. `target` gets the result and may be one of the arguments. */
export type GpuLaunch = (args: readonly number[], output: GpuOutput, target: Handle) => void

/** Text that gives wrong numbers without an error, and what to write instead. */
const TRAPS: readonly { readonly pattern: RegExp; readonly rule: string }[] = [
  { pattern: /\bcontinue\b/, rule: 'must not use continue, because it skips the step of the loop; use if' },
  {
    pattern: /Math\.floor\((?![^/]*\+ 0\.5\) \/)[^/]*\//,
    rule: 'must not divide indices without + 0.5, because an inexact division changes the floor; see MAX_DIVIDED',
  },
  { pattern: /%/, rule: 'must not use %, because it is wrong above 2^24; spread the output over x, y and z' },
  {
    pattern: /(?<![\w\])])(\w+(?:\[[^\]]*\])?) [!=]== \1(?![\w[(])/,
    rule: 'must not compare a number with itself, because that finds no NaN on WebGPU; use isNanText',
  },
  { pattern: /\bNaN\b/, rule: 'must not name NaN, because gpu.js does not know it; pass it as a float' },
]

/** Throws BackendError for a kernel that gpu.js would compute wrongly or that a GPU would refuse. */
export function checkKernel({ name, args, body }: GpuKernel): void {
  const buffers = Object.values(args).filter((kind) => kind === 'buffer').length
  if (buffers > MAX_BUFFERS)
    throw new BackendError(
      `internal: ${name} must take at most ${MAX_BUFFERS} buffers, got ${buffers}; join some in a kernel before it`,
    )
  for (const { pattern, rule } of TRAPS)
    if (pattern.test(body)) throw new BackendError(`internal: ${name} ${rule}`)
}

/** The function that gpu.js translates. */
export const sourceOf = ({ name, args, body }: GpuKernel): string =>
  `function ${name}(${Object.keys(args).join(', ')}) {\n${body}\n}`
