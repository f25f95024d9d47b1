// WebAssembly has vectors of 128 bits. V8's revectoriser can join two of them into one AVX2 vector of 256
// bits. This doubles the speed of matmul and makes exponentials up to 1.5 times as fast. It changes no bit,
// because lanes stay apart.
// The revectoriser is experimental. Therefore only our own wide module is compiled with it, once, and the
// result is tested before it is used.
const ON = ['--experimental-wasm-revectorize', '--no-liftoff', '--no-wasm-lazy-compilation']
const OFF = ['--no-experimental-wasm-revectorize', '--liftoff', '--wasm-lazy-compilation']

/** Compiles a module with the revectoriser. V8 keeps one compilation of the same bytes per process, so worker
 *  threads that compile them get this code. */
export function compileWide(bytes: BufferSource): WebAssembly.Module {
  const v8 = process.getBuiltinModule('node:v8')
  try {
    for (const flag of ON) v8.setFlagsFromString(flag)
    return new WebAssembly.Module(bytes)
  } finally {
    for (const flag of OFF) v8.setFlagsFromString(flag)
  }
}
