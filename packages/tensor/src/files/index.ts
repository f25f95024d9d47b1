export { decodeFloats, FLOAT_BYTES, type FloatType } from './floats.ts'
export { memoryStore } from './memory-store.ts'
export { nodeStore } from './node/node-store.ts'
export {
  type FilePlace,
  type FolderPlace,
  fileAt,
  fileExists,
  openFileParts,
  pathOf,
  storeAt,
} from './place.ts'
export { type ReadJsonOptions, readFileBytes, readJson, readUtf8File } from './read.ts'
export {
  decodeSafetensors,
  encodeSafetensors,
  type NamedArray,
  openSafetensors,
  type SafetensorsEntry,
  type SafetensorsFile,
  type SafetensorsPlace,
  type SafetensorsView,
  safetensorsHeader,
  safetensorsHeaderBytes,
} from './safetensors.ts'
export { sha256 } from './sha256.ts'
export {
  type FileContent,
  type FileParts,
  type FileToWrite,
  LockedError,
  type Store,
  type StoredFile,
  type StoreLock,
} from './store.ts'
export { decodeUtf8 } from './utf8.ts'
export { writeFileAtomic } from './write.ts'
