// Kernels that run on 256-bit registers if the device has them. @tau/tensor/assembly/wide explains how.
export { setWorkspace } from '@tau/tensor/assembly/workspace'
export { gramTiles } from './gram'
