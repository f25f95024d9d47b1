// The exports of @tau/graph's WASM module: every function takes its arguments, then the range [begin, end) of one tile.
export { setWorkspace } from '@tau/tensor/assembly/workspace'
export { nearestColumns, nearestRows, withinRows } from './nearest'
export { refineRows } from './refine'
export { emptyLists } from './slots'
