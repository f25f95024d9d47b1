export { mobyDick } from './moby-dick.ts'
export { demoOptions } from './options.ts'
