import { ROW_VECTORS } from '../quadratic/wgsl-pairs.ts'
import { CHUNK } from './levels.ts'
import { stateVectors } from './wgsl-text.ts'

/** How the entry point begins of kernels with a thread to some channels of a query: its `lane`; the query's `row`, `head` and time `now`, the
 *  vectors of its row, and where the keys and values of its head begin, `first` and `first_value`. */
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

/** let state_at, mark: the state of one `side` of the chunk `place`, of the pair of blocks that `block` is of. */
export const stateOf = (hasMoments: boolean): string => `
      let chunk = head * params.slots + level_slot + (block / 2u) * chunks + place;
      let state_at = (2u * chunk + side) * ${stateVectors(hasMoments)};
      let mark = states[state_at + ${stateVectors(hasMoments)} - 1u];`

/** The earlier keys of a query's own block: `body` is run with their `time`. */
export const overOwnBlock = (body: string): string => `
  for (var time = now - now % params.block; time <= now; time++) {
    ${body}
  }`

/** Every `level`: `body` is run with the `width` of its blocks, the `block` that `now` is in, and `level_slot`, the first of its slots. */
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

/** The levels that join earlier keys to a query: `body` is run with `chunks` of them, which begin at `sorted_at`. */
export const overLevels = (body: string): string =>
  overWidths(`if (block % 2u == 0u) { continue; }
    let chunks = width / ${CHUNK}u;
    let sorted_at = ((head / params.group) * params.levels + level) * params.keys + (block - 1u) * width;
    ${body}`)

/** The keys of the chunk `place`: `body` is run with their `time`. */
export const overChunk = (body: string): string => `
    for (var n = 0u; n < ${CHUNK}u; n++) {
      let time = u32(sorted[2u * (sorted_at + place * ${CHUNK}u + n) + 1u]);
      ${body}
    }`

/** Everything that a query sees, in an order that depends on shapes and λ alone: `onKey` is run with `time` for each key that is read by
 *  itself, `onState` with `mark`, that of a state which is not empty, at `state_at`. `toPlace` declares `place`, the chunk about the
 *  query's λ. */
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
