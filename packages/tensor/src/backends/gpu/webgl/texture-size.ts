interface Utils {
  getKernelTextureSize(settings: object, dimensions: readonly number[]): Int32Array
  closestSquareDimensions(length: number): Int32Array
}

interface WithUtils {
  readonly utils: Utils
}

/** gpu.js's types leave most of its utils out. */
export const hasUtils = (module: object): module is WithUtils => 'utils' in module

const fitted = new WeakSet<Utils>()

/** gpu.js gives an output of two axes a texture of just their sizes, and where one is longer than a texture can be, the kernel draws
 *  nothing: zeros in silence. Here such outputs get a texture as near to a square as can be, as others do anyway; kernels only see
 *  their indices. */
export function fitTextures(module: object, max: number): void {
  if (!hasUtils(module) || fitted.has(module.utils)) return
  const { utils } = module
  fitted.add(utils)
  const { getKernelTextureSize } = utils
  utils.getKernelTextureSize = (settings, dimensions) => {
    const size = getKernelTextureSize.call(utils, settings, dimensions)
    if (Math.max(...size) <= max) return size
    return utils.closestSquareDimensions(dimensions.reduce((product, n) => product * (n || 1), 1))
  }
}
