import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { scaffoldKernel } from './scaffold.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const name = 'soft-step'
const folder = `packages/tensor/src/kernels/${name}`

describe('scaffoldKernel', () => {
  let scratch: string
  let files: readonly string[]

  /** Runs a tool in the scratch tree and returns its output. */
  function inScratch(cwd: string, command: string, ...args: string[]): string {
    const path = [dirname(process.execPath), join(root, 'node_modules/.bin'), process.env.PATH].join(
      delimiter,
    )
    const { status, stdout, stderr } = spawnSync(command, args, {
      cwd: join(scratch, cwd),
      encoding: 'utf8',
      env: { ...process.env, PATH: path, NO_COLOR: '1', FORCE_COLOR: '0' },
      shell: process.platform === 'win32',
    })
    if (status !== 0) throw new Error(`${command} ${args.join(' ')} must succeed, got:\n${stdout}\n${stderr}`)
    return stdout
  }

  beforeAll(() => {
    scratch = mkdtempSync(join(tmpdir(), 'tau-kernel-'))
    const tracked = execFileSync('git', ['ls-files', '-z', '-co', '--exclude-standard'], {
      cwd: root,
      encoding: 'utf8',
    })
    const sources = tracked.split('\0').filter((file) => /^(packages|tools|bench)\/|^[^/]+$/.test(file))
    for (const file of sources)
      if (existsSync(join(root, file))) cpSync(join(root, file), join(scratch, file))
    // Links are relative, so the links of the workspace lead to the copies.
    const own = new Set(
      sources.flatMap((file) => file.match(/^(packages|tools)\/[^/]+(?=\/)|^bench(?=\/)/)?.[0] ?? []),
    )
    for (const path of own)
      for (const ignored of ['node_modules', 'src/generated'])
        if (existsSync(join(root, path, ignored)))
          cpSync(join(root, path, ignored), join(scratch, path, ignored), {
            recursive: true,
            verbatimSymlinks: true,
          })
    symlinkSync(join(root, 'node_modules'), join(scratch, 'node_modules'))
    files = scaffoldKernel(scratch, name)
  })
  afterAll(() => rmSync(scratch, { recursive: true }))

  it('makes folder, body and exports, in order', () => {
    expect(files).toEqual([
      ...['gpu.ts', 'reference.ts', `${name}.bench.ts`, `${name}.test.ts`, `${name}.ts`, 'wasm.ts'].map(
        (file) => `${folder}/${file}`,
      ),
      `packages/tensor/assembly/${name}.ts`,
      'packages/tensor/src/index.ts',
      'tools/conformance/kernel-cases.ts',
    ])
  })

  it('makes what the formatter and the compiler accept', () => {
    inScratch('.', 'biome', 'check', '--write', '--vcs-enabled=false', ...files)
    inScratch('packages/tensor', 'node', '../../tools/build/kernel-tables.ts')
    inScratch('packages/tensor', 'node', 'bin/tau-kernel.mjs', 'build')
    const table = readFileSync(join(scratch, 'packages/tensor/src/generated/table.ts'), 'utf8')
    expect(table).toMatch(
      / {2}softStep: .*softStepWasm>\n {2}softStepGrad: .*softStepGradWasm>\n {2}softcap: /,
    )
    const config = {
      extends: './tsconfig.base.json',
      compilerOptions: { noEmit: true },
      include: [folder, 'tools/conformance/kernel-cases.ts'],
    }
    writeFileSync(join(scratch, 'tsconfig.kernel.json'), JSON.stringify(config))
    inScratch('.', 'tsc', '-p', 'tsconfig.kernel.json')
  }, 120_000)

  it('makes tests that pass', () => {
    expect(inScratch('.', 'vitest', 'run', folder)).toMatch(/Tests +\d+ passed/)
  }, 120_000)

  it('makes a bench that runs', () => {
    const lines = inScratch('.', 'node', '--conditions=source', 'bench/run.ts', 'kernels', '--filter', name)
    expect(lines).toMatch(new RegExp(`^${name} mlp_T1024 .* GB/s`, 'm'))
    expect(lines).toMatch(new RegExp(`"${name}/grad_mlp_T1024/gb_per_s":`))
  }, 120_000)

  it.each(['softmax', 'exp', 'relu-squared'])('refuses the name %s, which is taken', (taken) => {
    expect(() => scaffoldKernel(scratch, taken)).toThrow(/must be a new name, got one that packages\/tensor/)
  })

  it.each(['', 'Softstep', 'soft_step', '../soft'])('refuses the name "%s"', (bad) => {
    expect(() => scaffoldKernel(scratch, bad)).toThrow(/name must be kebab-case/)
  })
})
