import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { PYTHON, PYTHON_LEAN, pythonProgram } from './program.ts'

describe('the environment of peers in Python', () => {
  it('lets malloc keep its memory, and leaves OpenBLAS to choose its kernels', () => {
    const given = { PATH: '/bin', OPENBLAS_CORETYPE: 'Haswell', OPENBLAS_L2_SIZE: '1', MALLOC_TOP_PAD_: '1' }
    expect(pythonProgram(given, PYTHON.told).environment).toEqual({
      PATH: '/bin',
      MALLOC_MMAP_THRESHOLD_: '4000000000',
      MALLOC_TRIM_THRESHOLD_: '4000000000',
      MALLOC_TOP_PAD_: '200000000',
    })
    expect(pythonProgram(given, PYTHON_LEAN.told).environment).toEqual({ PATH: '/bin' })
  })

  it('is what a record tells, and what the program gets', ({ skip }) => {
    const { command, environment, told } = PYTHON
    expect(environment).toMatchObject(told)
    const code =
      'import json, os; print(json.dumps({k: v for k, v in os.environ.items() if k.startswith("MALLOC_")}))'
    const { error, stdout } = spawnSync(command[0], ['-c', code], { env: environment, encoding: 'utf8' })
    if (error) return skip(error.message)
    expect(JSON.parse(stdout)).toEqual(told)
  })
})
