import type { GpuEngine } from '../../backends/gpu/engine.ts'
import { isNanText, logText } from '../../backends/gpu/text.ts'
import { launchEach } from '../launch-each.ts'
import { BINARY_OPS, type BinaryKernel, type BinaryOp } from './binary.ts'
import { loopsGpu } from './loops-gpu.ts'

/** NaN if either operand is NaN. Needed because a GPU's comparisons may assume that no NaN exists. */
const KEEP_NAN = `
      if (${isNanText('va')}) { return va }
      if (${isNanText('vb')}) { return vb }`

/** Statements that make p = va^e, computed as e^(e·log|va|). NaN stays NaN; special cases follow C. */
const powerText = (e: string): string => `
      const size = Math.abs(va)
      const exponent = ${e}
      ${logText('logSize', 'size')}
      let p = Math.exp(exponent * logSize)
      if (size === 1) { p = 1 }
      if (size === 0 && exponent < 0) { p = 1 / size }
      if (size === 0 && exponent > 0) { p = 0 }
      if (size > 3.4028234e38 && exponent > 0) { p = size }
      if (size > 3.4028234e38 && exponent < 0) { p = 0 }
      if (va < 0) {
        if (Math.floor(exponent) === exponent) {
          if (Math.floor(exponent * 0.5) !== exponent * 0.5) { p = -p }
        } else {
          if (size <= 3.4028234e38) { p = Math.sqrt(va) }
        }
      }
      if (${isNanText('va')}) { p = va }
      if (${isNanText('exponent')}) { p = exponent }
      if (exponent === 0 || va === 1) { p = 1 }`

const BODIES: Record<BinaryOp, string> = {
  add: 'return va + vb',
  sub: 'return va - vb',
  mul: 'return va * vb',
  div: 'return va / vb',
  maximum: `${KEEP_NAN}
      if (va > vb) { return va }
      return vb`,
  minimum: `${KEEP_NAN}
      if (va < vb) { return va }
      return vb`,
  pow: `${powerText('vb')}
      return p`,
  powSlopeX: `${powerText('vb - 1')}
      if (vb === 0) { return 0 }
      return vb * p`,
  powSlopeY: `${powerText('vb')}
      if (va === 0 && vb >= 0) { return 0 }
      if (va < 0) { return Math.sqrt(va) }
      return p * logSize`,
}

export function binaryGpu(engine: GpuEngine): BinaryKernel {
  const launches = launchEach(BINARY_OPS, (op) =>
    loopsGpu(engine, { name: op, operands: ['a', 'b'], body: BODIES[op] }),
  )
  return (op, a, b, out, loops) => launches[op]([a, b], out, loops)
}
