/** What a group gives back: the table is printed as it runs, numbers come here. */
export interface GroupContext {
  /** Only benches whose name contains this text run; empty: all. */
  readonly filter: string
  /** Prints one line of the table. */
  readonly line: (text: string) => void
  /** Notes a figure for the JSON. */
  readonly metric: (name: string, value: number) => void
}

export interface Group {
  readonly summary: string
  readonly run: (context: GroupContext) => Promise<void>
}

/** The groups of benches; a new one is a module here. They load when they are asked for. */
export const groups: Readonly<Record<string, () => Promise<Group>>> = {
  kernels: async () => (await import('./kernels.ts')).kernels,
}
