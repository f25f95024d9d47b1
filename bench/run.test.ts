import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const script = fileURLToPath(new URL('run.ts', import.meta.url))

function bench(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--conditions=source', script, ...args], {
    encoding: 'utf8',
  })
  return { status, stdout, stderr }
}

describe('npm run bench', () => {
  it('shows its groups and flags', () => {
    const { status, stdout } = bench('--help')
    expect(status).toBe(0)
    for (const word of ['kernels', '--filter', '--json']) expect(stdout).toContain(word)
  })

  it('refuses a group that does not exist, and lists those that do', () => {
    for (const name of ['kernel', 'constructor']) {
      const { status, stderr } = bench(name)
      expect(status).toBe(1)
      expect(stderr).toMatch(new RegExp(`bench: group must be one of kernels.*, got "${name}"`))
    }
  })

  it('refuses a filter that matches nothing', () => {
    const { status, stderr } = bench('kernels', '--filter', 'no such bench')
    expect(status).toBe(1)
    expect(stderr).toContain('--filter must match the name of a kernel bench, got "no such bench"')
  })
})
