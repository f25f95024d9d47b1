export { type OpenBlasOptions, openBlas } from './open-blas.ts'
