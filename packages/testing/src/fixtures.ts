import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('../../../../shared/fixtures/', import.meta.url))

/** Whether the oracle's fixtures lie beside the project. Where they do not, tests skip and say so; in CI that is a failure. */
export function hasFixtures(): boolean {
  if (existsSync(folder)) return true
  if (process.env.CI) throw new Error(`fixtures: CI needs the oracle's fixtures, got no folder ${folder}`)
  return false
}

export const fixturesFolder = folder

/** One group of the fixtures, as parsed JSON. */
export const readFixture = (group: string): unknown =>
  JSON.parse(readFileSync(`${folder}${group}.json`, 'utf8'))
