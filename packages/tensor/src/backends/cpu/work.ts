import { ELEMENT_BYTES } from '../../dtype.ts'

/** What a launch has to do whatever its kernel does: speeds in a profile are this over the time taken. */
export interface Work {
  /** Bytes that must be read or written at least once. */
  readonly bytes: number
  /** Floating-point operations: a multiply and an add are two, and what a kernel computes again is no work. Left out where memory
   *  is what limits the kernel. */
  readonly flops?: number
  /** What one launch differs by from another, for people: `nt 1024 x 1536 x 384`. */
  readonly shape?: string
}

/** The work of a launch that is limited by memory: elements of 4 bytes that are read or written. */
export const touches = (elements: number) => (): Work => ({ bytes: elements * ELEMENT_BYTES })
