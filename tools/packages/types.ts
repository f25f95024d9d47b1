import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { published, readmeExample } from './published.ts'
import { run } from './run.ts'

/** The settings that users compile with. The platform's names come from the browser's library or from Node's
 *  types. */
const SETTINGS = [
  { module: 'nodenext', moduleResolution: 'nodenext', lib: ['es2022'], types: ['node'] },
  { module: 'esnext', moduleResolution: 'bundler', lib: ['es2022', 'dom'], types: [] },
] as const

/** Compiles an import of every entry of every package, with the oldest and the newest TypeScript and
 *  `skipLibCheck: false`. */
export function compileTypes(project: string): void {
  const folder = join(project, 'types')
  mkdirSync(folder)
  const entries = published.flatMap((one) => one.entries)
  const imports = entries.map((entry, i) => `import * as entry${i} from '${entry}'`)
  const names = entries.map((_, i) => `entry${i}`).join(', ')
  writeFileSync(join(folder, 'all.ts'), `${imports.join('\n')}\nexport const all = [${names}]\n`)
  for (const compiler of ['typescript-oldest', 'typescript'])
    for (const setting of SETTINGS) {
      const compilerOptions = {
        target: 'es2022',
        strict: true,
        noEmit: true,
        skipLibCheck: false,
        ...setting,
      }
      writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['all.ts'] }))
      run('node', [`node_modules/${compiler}/bin/tsc`, '-p', folder], project)
    }
}

/** Writes the READMEs' examples into the project, compiles them and returns their files. */
export function compileExamples(project: string): readonly string[] {
  const files = published.map((entry) => {
    const file = `${entry.folder}.ts`
    writeFileSync(join(project, file), readmeExample(entry))
    return file
  })
  const compilerOptions = {
    ...{ module: 'nodenext', target: 'es2023', lib: ['es2023', 'esnext.disposable', 'dom'] },
    ...{ strict: true, noEmit: true, types: ['node'], skipLibCheck: false },
  }
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
  run('node', ['node_modules/typescript/bin/tsc', '-p', '.'], project)
  return files
}
