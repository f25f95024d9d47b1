import { csrFromCoo } from '@tau/graph'
import { cpu, type Device } from '@tau/tensor'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { LaplacianTensor } from './laplacian-tensor.ts'

let device: Device
beforeAll(async () => {
  device = await cpu({ threads: 1 })
})
afterAll(() => device.close())

const dense = (size: number, ...values: number[]) => ({ dense: values, size })

it('holds edges by rows, row sums, and frees them once, outside scopes', async () => {
  const before = device.memory.liveBuffers
  const laplacian = (() => {
    using _scope = device.scope()
    return LaplacianTensor.from(device, dense(3, 2, -2, 0, -2, 5, -3, 0, -3, 3.5))
  })()
  expect(laplacian.dim).toBe(3)
  expect(laplacian.edgeCount).toBe(4)
  expect(Array.from(await laplacian.first.data())).toEqual([0, 1, 3, 4])
  expect(Array.from(await laplacian.upper.data())).toEqual([0, 2, 4])
  expect(Array.from(await laplacian.columns.data())).toEqual([1, 0, 2, 1])
  expect(Array.from(await laplacian.weights.data())).toEqual([2, 2, 3, 3])
  expect(Array.from(await laplacian.rowSums.data())).toEqual([0, 0, 0.5])
  laplacian.dispose()
  laplacian.dispose()
  expect(device.memory.liveBuffers).toBe(before)
})

it('averages entries that differ only by rounding', async () => {
  using laplacian = LaplacianTensor.from(device, dense(2, 1, -1, -1.0000005, 1))
  const [a, b] = await laplacian.weights.data()
  expect(a).toBe(b)
})

it('refuses a matrix that is no Laplacian, and quotes the values', () => {
  expect(() => LaplacianTensor.from(device, dense(2, 1, -1, -0.5, 1))).toThrow(
    'LaplacianTensor: the matrix must be symmetric, got -1 at (0, 1) and -0.5 at (1, 0)',
  )
  const oneSided = csrFromCoo({ nRows: 2, nCols: 2, row: [0, 0, 1], col: [0, 1, 1], value: [1, -1, 1] })
  expect(() => LaplacianTensor.from(device, oneSided)).toThrow('got -1 at (0, 1) and 0 at (1, 0)')
  expect(() => LaplacianTensor.from(device, dense(2, 1, -1, -1))).toThrow(
    'LaplacianTensor: a dense matrix must hold size² numbers, got 3 for size 2',
  )
  const tall = csrFromCoo({ nRows: 3, nCols: 2, row: [0], col: [0], value: [1] })
  expect(() => LaplacianTensor.from(device, tall)).toThrow(
    'LaplacianTensor: the matrix must be square with 1 to 16384 rows, got [3, 2]',
  )
  const infinite = csrFromCoo({ nRows: 1, nCols: 1, row: [0], col: [0], value: [1e300] })
  expect(() => LaplacianTensor.from(device, infinite)).toThrow(
    'LaplacianTensor: entries must be finite in 32 bits, got 1e+300 in column 0',
  )
  const lying = { ...oneSided, indptr: Int32Array.of(0, 9, 3) }
  expect(() => LaplacianTensor.from(device, lying)).toThrow('LaplacianTensor: indptr must not decrease')
})
