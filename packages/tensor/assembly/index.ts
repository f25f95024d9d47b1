// The exports of @tau/tensor's WASM module: every function takes its arguments, then the range [begin, end) of one tile.
export { setWorkspace } from './workspace'
export { fill } from './fill'
export { softmax, softmaxGrad } from './softmax'
