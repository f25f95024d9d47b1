import { CHUNK } from './levels.ts'
import { QUADS } from './wgsl-text.ts'

// Entry points of the kernels that compute states. States are laid out as [B·H, slots, 2]. The slots of a
// head are ordered by level, then by pair of blocks, then by chunk.

export const CHUNK_THREADS = 64
export const SCAN_THREADS = 64

/** WGSL function `slots_of(width)`: the number of slots of a level whose blocks have `width` times. It counts
 *  them as levels.ts does. */
export const SLOTS_OF = `
fn slots_of(width : u32) -> u32 {
  return (params.keys + width - 1u) / (2u * width) * (width / ${CHUNK}u);
}`

/** Declares `chunks`, the number of chunks of the pair. It ends the thread if the pair does not exist, as in
 *  a head shorter than a block. */
const PAIR = `let chunks = width / ${CHUNK}u;
  if ((2u * pair + 1u) * width >= params.keys) { return; }`

/** Entry point of a kernel in which one thread handles some channels of one chunk. `body` can read:
 *  - `lane`: which channels;
 *  - `place`: the index of the chunk among all chunks;
 *  - `head`, `level`, `pair`: where the chunk belongs;
 *  - `skipped`: the times of its block that come before the chunk. */
export const overChunks = (body: string): string => `
${SLOTS_OF}
@compute @workgroup_size(${CHUNK_THREADS})
fn main(@builtin(global_invocation_id) id : vec3<u32>, @builtin(num_workgroups) groups : vec3<u32>) {
  let i = id.x + id.y * groups.x * ${CHUNK_THREADS}u;
  if (i >= params.length) { return; }
  let lane = i % params.lanes;
  let place = i / params.lanes;
  let head = place / params.slots;
  var slot = place % params.slots;
  var level = 0u;
  while (level + 1u < params.levels && slot >= slots_of(params.block << level)) {
    slot -= slots_of(params.block << level);
    level++;
  }
  let width = params.block << level;
  let pair = slot / (width / ${CHUNK}u);
  ${PAIR}
  let skipped = (slot % chunks) * ${CHUNK}u;
  ${body}
}`

/** Entry point of a kernel in which one thread handles four channels, `quad`, of one `side` of a `pair` of
 *  blocks. The pair has `chunks` chunks, from `first_chunk` on. */
export const overPairs = (body: string): string => `
${SLOTS_OF}
@compute @workgroup_size(${SCAN_THREADS})
fn main(@builtin(global_invocation_id) id : vec3<u32>) {
  let quad = id.x % ${QUADS};
  let side = (id.x / ${QUADS}) % 2u;
  let pair = id.x / ${QUADS} / 2u;
  let level = id.y;
  let head = id.z;
  let width = params.block << level;
  ${PAIR}
  var first_chunk = head * params.slots + pair * chunks;
  for (var lower = 0u; lower < level; lower++) { first_chunk += slots_of(params.block << lower); }
  ${body}
}`
