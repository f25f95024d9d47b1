import { CHUNK } from './levels.ts'
import { QUADS } from './wgsl-text.ts'

// How the kernels that make states count them: [B·H, slots, 2], the slots of a head level by level, in each pair of blocks by pair of blocks, in
// each chunk by chunk.

export const CHUNK_THREADS = 64
export const SCAN_THREADS = 64

/** `slots_of(width)`: slots of a level with blocks of `width`, as levels.ts counts them. */
export const SLOTS_OF = `
fn slots_of(width : u32) -> u32 {
  return (params.keys + width - 1u) / (2u * width) * (width / ${CHUNK}u);
}`

/** What a thread has of a pair of blocks; a head shorter than a block has no pair. */
const PAIR = `let chunks = width / ${CHUNK}u;
  if ((2u * pair + 1u) * width >= params.keys) { return; }`

/** The entry point of kernels with a thread to some channels of a chunk: its `lane`, and `place`, the chunk's among all; the chunk is of `head`, `level`
 *  and `pair`, and `skipped` times of its block are before it. */
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

/** The entry point of kernels with a thread to four channels, `quad`, of one `side` of a `pair` of blocks: it has `chunks` of them from
 *  `first_chunk` on. */
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
