/** Whether an adapter's name is that of a driver in software. */
export const isSoftware = (adapter: string): boolean =>
  /swiftshader|llvmpipe|lavapipe|softpipe|basic render/i.test(adapter)
