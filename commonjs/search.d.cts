// Without module node20 or nodenext the compiler does not know that ES modules can be required.
// @ts-ignore
export * from '../dist/search/index.js'
