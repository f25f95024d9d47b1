export function buildIfStale(root: string, build: () => void): void
