interface Utils {
  getKernelTextureSize(settings: object, dimensions: readonly number[]): Int32Array
  closestSquareDimensions(length: number): Int32Array
}

interface WithUtils {
  readonly utils: Utils
}

/** gpu.js's types lack most of its utils. */
export const hasUtils = (module: object): module is WithUtils => 'utils' in module

const fitted = new WeakSet<Utils>()

/** Makes gpu.js choose textures that fit the GPU. For an output of two axes, gpu.js takes a texture of
 *  exactly these sizes. If one is larger than a texture can be, the kernel draws nothing and the result is
 *  zeros, without an error. Here such outputs get a texture that is nearly square, as other outputs do.
 *  Kernels only see their indices. */
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
