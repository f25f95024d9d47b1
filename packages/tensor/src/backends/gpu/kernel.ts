import { BackendError } from '../../errors.ts'
import type { Handle } from '../engine.ts'

/** Below this `Math.floor((i + 0.5) / n)` is exact: a division on a GPU may be 2.5 units in the last place off, less than half of 1 / n
 *  there. `Math.floor(i / n)` is not, wherever n divides i. */
export const MAX_DIVIDED = 2 ** 20
/** Indices are 32-bit integers in gpu.js. */
export const MAX_ELEMENTS = 2 ** 31 - 1
/** A GPU may allow no more than 8 buffers, and one is the output. */
const MAX_BUFFERS = 7

/** What an argument of a kernel is: a tensor's buffer (read as `x[i]`), a whole number below 2³¹, or an f32. */
export type GpuArgument = 'buffer' | 'int' | 'float'

/** A gpu.js kernel as text, so that minifiers cannot change it. The body runs once per element of the output, at
 *  `this.thread.x` (fastest), `.y` and `.z`, and returns the element.
 *
 *  Rules of gpu.js that give wrong numbers in silence when broken; {@link checkKernel} refuses what it can see of them:
 *  - A local variable is an f32 even where it holds an index, a loop counter too, and one f32 in a sum makes it all f32: exact
 *    below 2²⁴ only. Write a large index where it is used, from `int` arguments, `this.thread` and `(v | 0)` for variables:
 *    `x[this.thread.y * cols + (k | 0)]`.
 *  - `/` works in f32 too, and a GPU's is not exact: divide indices below {@link MAX_DIVIDED} as said there, or spread the output over x, y
 *    and z instead. No `%`.
 *  - No `continue`; no `NaN` literal (pass it as a float), no `v !== v` to find one ({@link isNanText}); at most 7 buffers; every
 *    `let` with a value. Math.max, Math.min and Math.exp make numbers of NaN on a GPU; Math.tanh and Math.log1p: `text.ts`.
 *  - Read only inside a buffer: guard with `if` or a clamped index. An empty buffer reads as one zero. */
export interface GpuKernel {
  /** An identifier, shown in errors. */
  readonly name: string
  /** Arguments in the order in which the launch gets them. */
  readonly args: Readonly<Record<string, GpuArgument>>
  readonly body: string
}

/** Sizes of a kernel's output along thread.x, thread.y and thread.z: their product is the length of the target. */
export type GpuOutput = readonly [number] | readonly [number, number] | readonly [number, number, number]

/** Enqueues one run: `args` holds handles for buffers and numbers for the rest, in the order of the definition; `target`
 *  gets the result and may be one of the arguments. */
export type GpuLaunch = (args: readonly number[], output: GpuOutput, target: Handle) => void

/** What is wrong in silence, and what to write instead. */
const TRAPS: readonly { readonly pattern: RegExp; readonly rule: string }[] = [
  { pattern: /\bcontinue\b/, rule: 'must not use continue, which skips the step of the loop; use if' },
  {
    pattern: /Math\.floor\((?![^/]*\+ 0\.5\) \/)[^/]*\//,
    rule: 'must not divide indices without + 0.5: where the division is off, the floor is another; see MAX_DIVIDED',
  },
  { pattern: /%/, rule: 'must not use %, which is wrong above 2^24; spread the output over x, y and z' },
  {
    pattern: /(?<![\w\])])(\w+(?:\[[^\]]*\])?) [!=]== \1(?![\w[(])/,
    rule: 'must not compare a number with itself, which finds no NaN on WebGPU; use isNanText',
  },
  { pattern: /\bNaN\b/, rule: 'must not name NaN, which gpu.js does not know; pass it as a float' },
]

/** Throws BackendError for a kernel that gpu.js would run wrongly, or that a GPU would refuse. */
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
