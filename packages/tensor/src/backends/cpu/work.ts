import { ELEMENT_BYTES } from '../../dtype.ts'

/** The least work that a launch must do, whatever its kernel does. A profile shows speeds as this work over
 *  the time taken. */
export interface Work {
  /** Bytes that must be read or written at least once. */
  readonly bytes: number
  /** Floating-point operations. A multiply and an add count as two; a value that a kernel computes twice
   *  counts once. Left out if memory limits the kernel. */
  readonly flops?: number
  /** Text that shows people how this launch differs from others of its kernel: `nt 1024 x 1536 x 384`. */
  readonly shape?: string
}

/** The work of a launch that memory limits: `elements` elements of 4 bytes are read or written. */
export const touches = (elements: number) => (): Work => ({ bytes: elements * ELEMENT_BYTES })
