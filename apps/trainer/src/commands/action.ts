import type { Io } from '../run/io.ts'

/** Wraps what a command does into commander's action, which returns nothing: the exit code and errors go to the program. */
export type Action = (run: (io: Io) => Promise<number>) => () => Promise<void>
