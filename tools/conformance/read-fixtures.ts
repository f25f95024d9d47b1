import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Group, parseGroup } from './fixture.ts'

/** The fixture files of a directory, sorted by name. */
export const fixtureFiles = (dir: string): string[] =>
  readdirSync(dir)
    .filter((name) => name.endsWith('.json'))
    .sort()

/** Every group of a directory, by name. */
export function readFixtures(dir: string): Map<string, Group> {
  const groups = fixtureFiles(dir).map((file) => parseGroup(file, readFileSync(join(dir, file), 'utf8')))
  return new Map(groups.map((group) => [group.group, group]))
}
