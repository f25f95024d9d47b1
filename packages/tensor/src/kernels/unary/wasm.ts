import type { CpuEngine } from '../../backends/cpu/engine.ts'
import { ELEMENT_GRAIN } from '../../backends/cpu/grain.ts'
import { tensorWasm } from '../cpu-module.ts'
import { UNARY_OPS, type UnaryGradKernel, type UnaryKernel } from './unary.ts'

export function unaryWasm(engine: CpuEngine): UnaryKernel {
  const launches = UNARY_OPS.map((op) => engine.kernel(tensorWasm, op))
  return (op, x, out, n) => launches[UNARY_OPS.indexOf(op)]([x, out], n, ELEMENT_GRAIN)
}

export function unaryGradWasm(engine: CpuEngine): UnaryGradKernel {
  const launches = UNARY_OPS.map((op) => engine.kernel(tensorWasm, `${op}Grad`))
  return (op, x, y, dOut, dX, n) => launches[UNARY_OPS.indexOf(op)]([x, y, dOut, dX], n, ELEMENT_GRAIN)
}
