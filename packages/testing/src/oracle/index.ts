// The format of the oracle's files, without the file system: for pages too.
export { Fields, isArray, isObject, type OracleArray } from './fields.ts'
export { type OracleCase, type OracleGroup, parseGroup } from './group.ts'
