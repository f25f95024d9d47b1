import { createRequire } from 'node:module'

/** A function of a library, as koffi gives it. */
type Foreign = (...args: readonly number[]) => unknown

/** The part of koffi's library handle that we use. */
export interface Library {
  /** Throws when the library has no such symbol. */
  func(prototype: string): Foreign
}

interface Koffi {
  /** Throws when the loader does not find the library. */
  load(file: string): Library
}

/** The path of koffi as a module at `from` finds it. Throws if koffi is not installed. */
export function koffiPath(from: string): string {
  try {
    return createRequire(from).resolve('koffi')
  } catch {
    throw new Error(
      'openBlas: koffi must be installed, got none; it is an optional dependency, install it with: npm install koffi',
    )
  }
}

/** Loads koffi from its path. Throws if koffi has no binary for this machine. */
export function loadKoffi(path: string): Koffi {
  try {
    return createRequire(path)(path) as Koffi
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n', 1)[0] : error
    throw new Error(
      `openBlas: koffi must have a binary for ${process.platform} ${process.arch}, got ${reason}; install without --omit=optional`,
    )
  }
}
