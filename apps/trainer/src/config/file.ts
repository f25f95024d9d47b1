import { basename } from 'node:path'
import { readUtf8File } from '@tau/tensor/files'
import { migrateRunSettings } from '@tau/train'
import { isNode, LineCounter, parseDocument } from 'yaml'
import { UsageError } from './errors.ts'

/** Values of a configuration, and where each of them comes from. */
export interface Source {
  readonly values: unknown
  /** Place of a value, such as `run.yaml line 3`. */
  where(path: readonly string[]): string
}

const MAX_BYTES = 2 ** 20

/** Reads a configuration file: YAML 1.2, or its subset JSON. Errors name the file, and the line if the parser
 *  knows it. */
export async function readConfigFile(path: string): Promise<Source> {
  const text = await readUtf8File(path, 'config', MAX_BYTES).catch((error: Error) => {
    throw new UsageError(error.message)
  })
  return parseConfigText(text, path)
}

/** Reads the run.yaml of a run, of any older version. A missing setting gets the value that runs had before
 *  the setting existed. */
export async function readRunFile(path: string): Promise<Source> {
  const source = await readConfigFile(path)
  return { ...source, values: migrateRunSettings(source.values) }
}

/** Parses the text of a configuration file. */
export function parseConfigText(text: string, path: string): Source {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const [error] = document.errors
  if (error !== undefined) {
    const { line, col } = lines.linePos(error.pos[0])
    throw new UsageError(
      `config: ${path} must be YAML or JSON, got "${error.message}" at line ${line}, column ${col}; correct this line`,
    )
  }
  let values: unknown
  try {
    values = document.toJS({ maxAliasCount: 100 })
  } catch (error) {
    throw new UsageError(
      `config: ${path} must be YAML or JSON, got ${error}; replace aliases by their values`,
    )
  }
  if (values !== null && (typeof values !== 'object' || Array.isArray(values)))
    throw new UsageError(
      `config: ${path} must hold sections like "train:", got ${JSON.stringify(values).slice(0, 60)}; tau train --print-config prints an example`,
    )
  const name = basename(path)
  return {
    values: values ?? {},
    where: (keys) => {
      const node = document.getIn(keys, true)
      return isNode(node) && node.range ? `${name} line ${lines.linePos(node.range[0]).line}` : name
    },
  }
}
