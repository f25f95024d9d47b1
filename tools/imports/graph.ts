import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import ts from 'typescript'

/** For each file, the files from which it imports or re-exports by a relative path. Dynamic imports do not
 *  count. */
export type ImportGraph = ReadonlyMap<string, readonly string[]>

/** The imports between the TypeScript files below a folder: of values, or of types too. Names are relative to
 *  the folder. */
export function importsBelow(folder: string, importsOf: typeof valueImports): ImportGraph {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  )
  return new Map(
    files.map((file) => {
      const path = join(folder, file)
      const targets = importsOf(readFileSync(path, 'utf8'))
      return [file, targets.map((target) => relative(folder, resolve(dirname(path), target)))]
    }),
  )
}

/** The relative paths from which the text of a module imports values. */
export const valueImports = (text: string): string[] => imports(text, false)

/** The relative paths from which the text of a module imports values or types. */
export const allImports = (text: string): string[] => imports(text, true)

function imports(text: string, withTypes: boolean): string[] {
  const { statements } = ts.createSourceFile('module.ts', text, ts.ScriptTarget.Latest)
  return statements.flatMap((statement) => {
    const isImport = ts.isImportDeclaration(statement)
    if (!isImport && !ts.isExportDeclaration(statement)) return []
    const { moduleSpecifier } = statement
    if (!moduleSpecifier || !ts.isStringLiteral(moduleSpecifier) || !moduleSpecifier.text.startsWith('.'))
      return []
    const isType = isImport ? importsTypes(statement) : exportsTypes(statement)
    return isType && !withTypes ? [] : [moduleSpecifier.text]
  })
}

function importsTypes({ importClause }: ts.ImportDeclaration): boolean {
  if (!importClause) return false
  if (importClause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true
  const { name, namedBindings } = importClause
  return (
    name === undefined &&
    namedBindings !== undefined &&
    ts.isNamedImports(namedBindings) &&
    namedBindings.elements.every(({ isTypeOnly }) => isTypeOnly)
  )
}

function exportsTypes({ isTypeOnly, exportClause }: ts.ExportDeclaration): boolean {
  if (isTypeOnly) return true
  return (
    exportClause !== undefined &&
    ts.isNamedExports(exportClause) &&
    exportClause.elements.every((element) => element.isTypeOnly)
  )
}

/** The circles of a graph: sets of files in which every file reaches every other (strongly connected
 *  components, by Tarjan's algorithm). */
export function circles(graph: ImportGraph): string[][] {
  const order = new Map<string, number>()
  const stack: string[] = []
  const found: string[][] = []
  const visit = (file: string): number => {
    const at = order.size
    order.set(file, at)
    let low = at
    stack.push(file)
    for (const target of graph.get(file) ?? []) {
      if (!graph.has(target)) continue
      if (!order.has(target)) low = Math.min(low, visit(target))
      else if (stack.includes(target)) low = Math.min(low, order.get(target) ?? at)
    }
    if (low === at) {
      const circle = stack.splice(stack.indexOf(file))
      if (circle.length > 1 || graph.get(file)?.includes(file)) found.push(circle.sort())
    }
    return low
  }
  for (const file of graph.keys()) if (!order.has(file)) visit(file)
  return found
}
