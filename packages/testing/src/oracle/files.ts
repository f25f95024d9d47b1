import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type OracleGroup, parseGroup } from './group.ts'

/** The oracle's values of seed 1, which the repository holds. */
export const fixturesFolder = fileURLToPath(new URL('../../../../tools/oracle/fixtures/', import.meta.url))

/** The oracle's files in a folder, sorted by name. */
export const groupFiles = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()

const readGroup = (folder: string, file: string): OracleGroup =>
  parseGroup(file, readFileSync(join(folder, file), 'utf8'))

/** Every group of a folder, by name. */
export function readGroups(folder: string): Map<string, OracleGroup> {
  const groups = new Map<string, OracleGroup>()
  for (const file of groupFiles(folder)) {
    const group = readGroup(folder, file)
    if (groups.has(group.group))
      throw new Error(`oracle: a group must have one file in ${folder}, got ${group.group} again in ${file}`)
    groups.set(group.group, group)
  }
  return groups
}

/** One group of seed 1. */
export const readFixtures = (group: string): OracleGroup => readGroup(fixturesFolder, `${group}.json`)
