import { existsSync } from 'node:fs'

/** Debian's chromium keeps two files here: SwiftShader, a Vulkan driver that runs on the CPU, and a loader of
 *  Vulkan drivers. */
const CHROMIUM = '/usr/lib/chromium'
const DRIVER = `${CHROMIUM}/vk_swiftshader_icd.json`
const LOADER = 'libvulkan.so.1'
const LIBRARIES = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib64', '/usr/lib']

/** The environment variables with which WebGPU also finds chromium's software driver, if chromium is
 *  installed. Real GPUs still come first. The system looks for the loader when a process starts, so the
 *  variables only work for child processes. */
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
