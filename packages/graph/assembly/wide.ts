// The kernels that run on 256-bit registers where the device has them: @tau/tensor/assembly/wide tells how.
export { setWorkspace } from '@tau/tensor/assembly/workspace'
export { gramTiles } from './gram'
