/** See software-gpu.mjs. */
export function softwareGpu(env: Readonly<Record<string, string | undefined>>): Record<string, string>
