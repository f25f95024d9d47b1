/** Constants of cblas.h. */
const ROW_MAJOR = 101
const NO_TRANS = 111
const TRANS = 112

/** The program of GemmProgram. Every thread loads koffi (once per process, with one instance per thread) and
 *  makes its own handle of the same function. The file name and the addresses are valid in all threads of the
 *  process. The address of shared memory stays when the memory grows. */
export const sgemmSource = (koffi: string, library: string): string => `
const path = ${JSON.stringify(koffi)}
const koffi = process.getBuiltinModule('node:module').createRequire(path)(path)
const product = koffi.load(${JSON.stringify(library)}).func(
  'void cblas_sgemm(int order, int transA, int transB, int m, int n, int k, float alpha, void *a, int lda, void *b, int ldb, float beta, void *c, int ldc)')
const base = Number(koffi.address(new Uint8Array(memory.buffer)))
return (transA, transB, m, n, k, a, lda, b, ldb, adds, c, ldc) => {
  product(${ROW_MAJOR}, transA ? ${TRANS} : ${NO_TRANS}, transB ? ${TRANS} : ${NO_TRANS}, m, n, k,
    1, base + a, lda, base + b, ldb, adds ? 1 : 0, base + c, ldc)
}`
