import { describe, expect, it } from 'vitest'
import { grad } from '../autodiff/tape.ts'
import { dryCpu } from '../backends/cpu/dry.ts'
import { DTypeError } from '../errors.ts'
import { concat } from './copy/copy.ts'
import { zeros } from './fill/fill.ts'
import { matmul } from './matmul/matmul.ts'
import { mean } from './reduce/mean.ts'
import { reshape } from './reshape/reshape.ts'
import { softmax } from './softmax/softmax.ts'
import { exp } from './unary/unary.ts'

const device = await dryCpu()
const x = zeros(device, [2, 2])
const ids = device.tensor(Int32Array.of(1, 2))

/** Calls that the types refuse, as JavaScript makes them. */
const wrong: [string, (...args: never[]) => unknown, unknown[], string][] = [
  ['a number', exp, [3], 'exp: x must be a tensor, got the number 3'],
  ['an array', softmax, [[1, 2]], 'softmax: x must be a tensor, got an array'],
  ['nothing', mean, [], 'mean: x must be a tensor, got undefined'],
  ['whole numbers', exp, [ids], 'exp: x must be f32, got i32'],
  ['an array to reshape', reshape, [[1], [1]], 'reshape: x must be a tensor, got an array'],
  ['one factor', matmul, [x], 'matmul: every input must be a tensor, got undefined'],
  ['one tensor to join', concat, [[x, null], 0], 'concat: every input must be a tensor, got null'],
  ['no device', zeros, [[2, 3]], 'fill: device must be a device, got an array; open one with await cpu()'],
  [
    'a device that opens',
    zeros,
    [Promise.resolve(device), [2]],
    'fill: device must be a device, got a promise; await it; open one with await cpu()',
  ],
  [
    'one tensor',
    grad,
    [() => x, x],
    'grad: tensors must be an array of tensors, got an object of class Tensor',
  ],
  [
    'a number as loss',
    grad,
    [() => 1, [x]],
    'grad: the result of the function must be a tensor, got the number 1',
  ],
]

describe('arguments of the wrong type', () => {
  it.each(wrong)('%s', (_, f, args, message) => {
    const call = () => Reflect.apply(f, undefined, args)
    expect(call).toThrow(DTypeError)
    expect(call).toThrow(message)
  })
})
