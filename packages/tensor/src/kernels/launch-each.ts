/** Calls `make` for each operation of a family and returns the launchers by name. */
export function launchEach<Op extends string, Launcher>(
  ops: readonly Op[],
  make: (op: Op) => Launcher,
): Record<Op, Launcher> {
  return Object.fromEntries(ops.map((op) => [op, make(op)])) as Record<Op, Launcher>
}
