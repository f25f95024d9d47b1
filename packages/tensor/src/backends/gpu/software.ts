/** Whether an adapter's name belongs to a driver in software. */
export const isSoftware = (adapter: string): boolean =>
  /swiftshader|llvmpipe|lavapipe|softpipe|basic render/i.test(adapter)
