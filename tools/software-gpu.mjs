import { existsSync } from 'node:fs'

/** Where Debian's chromium keeps SwiftShader, a driver for Vulkan that runs on the CPU, and a loader of drivers. */
const CHROMIUM = '/usr/lib/chromium'
const DRIVER = `${CHROMIUM}/vk_swiftshader_icd.json`
const LOADER = 'libvulkan.so.1'
const LIBRARIES = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib64', '/usr/lib']

/** Environment in which WebGPU finds a driver in software too, where chromium brings one. Real GPUs come first all the same. The
 *  loader is looked for when a process starts: this is for child processes. */
export function softwareGpu(env) {
  if (!existsSync(DRIVER)) return {}
  const hasLoader = LIBRARIES.some((folder) => existsSync(`${folder}/${LOADER}`))
  return {
    ...((env.VK_ADD_DRIVER_FILES ?? env.VK_ICD_FILENAMES ?? env.VK_DRIVER_FILES)
      ? {}
      : { VK_ADD_DRIVER_FILES: DRIVER }),
    ...(hasLoader || !existsSync(`${CHROMIUM}/${LOADER}`)
      ? {}
      : { LD_LIBRARY_PATH: [env.LD_LIBRARY_PATH, CHROMIUM].filter(Boolean).join(':') }),
  }
}
