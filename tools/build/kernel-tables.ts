// Writes a package's kernel tables from its folders. A new kernel is therefore a new folder and nothing else.
// Runs in the package's folder:
//   src/kernels/**/wasm.ts  → src/generated/cpu.ts    the cpu backend's table
//   src/kernels/**/gpu.ts   → src/generated/gpu.ts    the gpu backend's; with WGSL, wgsl.ts comes before gpu.ts
//                             src/generated/table.ts  the type of both: a kernel that a backend lacks may be undefined
// A kernel is an exported function that takes only an engine and returns a type called …Kernel or …Kernels.
// Its name in the table is the function's name without Wasm, Gpu or Wgsl.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import ts from 'typescript'

const SUFFIX = { 'wasm.ts': 'Wasm', 'gpu.ts': 'Gpu', 'wgsl.ts': 'Wgsl' } as const
type FileName = keyof typeof SUFFIX

interface Kernel {
  /** Its name in the table. */
  readonly name: string
  /** The name of the function that makes it. */
  readonly maker: string
  readonly file: string
}

/** The signatures of a file's exported functions, by name. */
function exportedFunctions(file: string): Map<string, ts.SignatureDeclaration> {
  const { statements } = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest)
  const found = new Map<string, ts.SignatureDeclaration>()
  for (const statement of statements) {
    const isExported =
      ts.canHaveModifiers(statement) &&
      ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)
    if (!isExported) continue
    if (ts.isFunctionDeclaration(statement) && statement.name) found.set(statement.name.text, statement)
    if (ts.isVariableStatement(statement))
      for (const { name, initializer } of statement.declarationList.declarations)
        if (ts.isIdentifier(name) && initializer && ts.isArrowFunction(initializer))
          found.set(name.text, initializer)
  }
  return found
}

const typeName = (type: ts.TypeNode | undefined): string =>
  type && ts.isTypeReferenceNode(type) && ts.isIdentifier(type.typeName) ? type.typeName.text : ''

function isKernel({ parameters, type }: ts.SignatureDeclaration): boolean {
  const [engine, ...rest] = parameters
  return (
    engine !== undefined &&
    /^(Cpu|Gpu)Engine$/.test(typeName(engine.type)) &&
    rest.every(({ initializer }) => initializer !== undefined) &&
    /Kernels?$/.test(typeName(type))
  )
}

/** The kernels of all files with this name, sorted by the kernels' names. */
function kernelsIn(fileName: FileName): Kernel[] {
  const suffix = SUFFIX[fileName]
  const files = readdirSync('src/kernels', { recursive: true, encoding: 'utf8' }).filter(
    (file) => basename(file) === fileName,
  )
  return files
    .flatMap((file) =>
      Array.from(exportedFunctions(`src/kernels/${file}`))
        .filter(([maker, signature]) => maker.endsWith(suffix) && isKernel(signature))
        .map(([maker]) => ({
          name: maker.slice(0, -suffix.length),
          maker,
          file: file.replaceAll('\\', '/'),
        })),
    )
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

const imports = (kernels: readonly Kernel[], type: '' | 'type ' = ''): string[] =>
  kernels.map(({ maker, file }) => `import ${type}{ ${maker} } from '../kernels/${file}'`)

const { name: packageName } = JSON.parse(readFileSync('package.json', 'utf8')) as { name: string }
const library = packageName === '@tau/tensor' ? '../kernel.ts' : '@tau/tensor/kernel'
const [wasm, gpu, wgsl] = (['wasm.ts', 'gpu.ts', 'wgsl.ts'] as const).map(kernelsIn)
const names = [...new Set([...wasm, ...gpu, ...wgsl].map(({ name }) => name))].sort()
const find = (kernels: readonly Kernel[], name: string) => kernels.find((kernel) => kernel.name === name)

function table(entryOf: (name: string) => string): string[] {
  return names.map((name) => `  ${name}: ${entryOf(name)},`)
}

function gpuEntry(name: string): string {
  const [tuned, portable] = [find(wgsl, name)?.maker, find(gpu, name)?.maker]
  const otherwise = portable ? `${portable}(engine)` : 'undefined'
  return tuned ? `engine.hasWgsl ? ${tuned}(engine) : ${otherwise}` : otherwise
}

function typeEntry(name: string): string {
  const [cpuKernel, gpuKernel, tuned] = [wasm, gpu, wgsl].map((kernels) => find(kernels, name))
  const everywhere = cpuKernel && gpuKernel
  return `ReturnType<typeof ${(cpuKernel ?? gpuKernel ?? tuned)?.maker}>${everywhere ? '' : ' | undefined'}`
}

const typed = names.flatMap((name) => find(wasm, name) ?? find(gpu, name) ?? find(wgsl, name) ?? [])
const files = {
  'cpu.ts': [
    `import type { CpuEngine } from '${library}'`,
    ...imports(wasm),
    "import type { KernelTable } from './table.ts'",
    '',
    '/** The kernels of the cpu backend. */',
    'export const cpuKernels = (engine: CpuEngine): KernelTable => ({',
    ...table((name) => (find(wasm, name) ? `${find(wasm, name)?.maker}(engine)` : 'undefined')),
    '})',
  ],
  'gpu.ts': [
    `import type { GpuEngine } from '${library}'`,
    ...imports([...gpu, ...wgsl]),
    "import type { KernelTable } from './table.ts'",
    '',
    '/** The kernels of the gpu backend: those of gpu.js, and hand-written ones where the mode has WGSL. */',
    'export const gpuKernels = (engine: GpuEngine): KernelTable => ({',
    ...table(gpuEntry),
    '})',
  ],
  'table.ts': [
    ...imports(typed, 'type '),
    '',
    '/** Every kernel of this package; undefined where a backend has none. */',
    'export interface KernelTable {',
    ...names.map((name) => `  ${name}: ${typeEntry(name)}`),
    '}',
  ],
}

mkdirSync('src/generated', { recursive: true })
for (const [file, lines] of Object.entries(files))
  writeFileSync(
    `src/generated/${file}`,
    `${['// generated by tools/build/kernel-tables.ts from the folders of src/kernels; do not edit', ...lines].join('\n')}\n`,
  )
console.log(`tables: ${names.length} kernels`)
