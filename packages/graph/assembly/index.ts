// The exports of @tau/graph's WASM module: every function takes its arguments, then the range [begin, end) of one tile.
export { setWorkspace } from '@tau/tensor/assembly/workspace'
export { csrStep } from './csr-step'
export { dotsF32, dotsF64 } from './dots'
export { nearestColumns, nearestRows, withinRows } from './nearest'
export { panelAdd } from './panel-add'
export { panelGram } from './panel-gram'
export { refineRows } from './refine'
export { emptyLists } from './slots'
