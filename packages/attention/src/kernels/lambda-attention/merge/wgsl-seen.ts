import { ROW_VECTORS } from '../quadratic/wgsl-pairs.ts'
import { CHUNK } from './levels.ts'
import { stateVectors } from './wgsl-text.ts'

/** Start of an entry point in which one thread handles some channels of one query. It declares:
 *  - `lane`: which channels;
 *  - `row`, `head` and `now`: the query's row, head and time;
 *  - `row_0` … `row_2`: the vectors of its row;
 *  - `first` and `first_value`: where the keys and the values of its head begin. */
export const mainOfQueries = (threads: number): string => `
@compute @workgroup_size(${threads})
fn main(@builtin(global_invocation_id) id : vec3<u32>, @builtin(num_workgroups) groups : vec3<u32>) {
  let i = id.x + id.y * groups.x * ${threads}u;
  if (i >= params.length) { return; }
  let lane = i % params.lanes;
  let row = i / params.lanes;
  let head = row / params.queries;
  let now = row % params.queries + params.keys - params.queries;
  let first = head * params.keys;
  let first_value = (head / params.group) * params.capacity;
  let row_0 = rows[row * ${ROW_VECTORS}u];
  let row_1 = rows[row * ${ROW_VECTORS}u + 1u];
  let row_2 = rows[row * ${ROW_VECTORS}u + 2u];`

/** Declares `state_at` and `mark` of the state on one `side` of the chunk `place`. The chunk belongs to the
 *  pair of blocks that holds `block`. */
export const stateOf = (hasMoments: boolean): string => `
      let chunk = head * params.slots + level_slot + (block / 2u) * chunks + place;
      let state_at = (2u * chunk + side) * ${stateVectors(hasMoments)};
      let mark = states[state_at + ${stateVectors(hasMoments)} - 1u];`

/** Runs `body` with `time` for each key of the query's own block, up to the query itself. */
export const overOwnBlock = (body: string): string => `
  for (var time = now - now % params.block; time <= now; time++) {
    ${body}
  }`

/** Runs `body` for every `level`. It declares the `width` of the level's blocks, the `block` that holds
 *  `now`, and `level_slot`, the first slot of the level. */
export const overWidths = (body: string): string => `
  {
    var next_slot = 0u;
    for (var level = 0u; level < params.levels; level++) {
      let width = params.block << level;
      let level_slot = next_slot;
      next_slot += slots_of(width);
      let block = now / width;
      ${body}
    }
  }`

/** Runs `body` for every level in which the query reads an earlier block. That block has `chunks` chunks,
 *  from `sorted_at` on. */
export const overLevels = (body: string): string =>
  overWidths(`if (block % 2u == 0u) { continue; }
    let chunks = width / ${CHUNK}u;
    let sorted_at = ((head / params.group) * params.levels + level) * params.keys + (block - 1u) * width;
    ${body}`)

/** Runs `body` with `time` for each key of the chunk `place`. */
export const overChunk = (body: string): string => `
    for (var n = 0u; n < ${CHUNK}u; n++) {
      let time = u32(sorted[2u * (sorted_at + place * ${CHUNK}u + n) + 1u]);
      ${body}
    }`

/** Visits everything that a query sees, in an order that depends on shapes and λ only.
 *  - `onKey` runs with `time` for each key that is read by itself.
 *  - `onState` runs with `mark` and `state_at` for each state that is not empty.
 *  - `toPlace` declares `place`, the chunk around the query's λ. */
export const overSeen = (parts: { toPlace: string; onKey: string; onState: string }): string =>
  overOwnBlock(parts.onKey) +
  overLevels(`${parts.toPlace}
    ${overChunk(parts.onKey)}
    for (var side = 0u; side < 2u; side++) {
      ${stateOf(false)}
      if (mark.x >= 0.0) {
        ${parts.onState}
      }
    }`)
