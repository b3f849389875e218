// What require('gradus/search') gives: the same module as import does. Node.js's own require knows ES modules; the one that Jest
// has in its place does not in older versions, so Node.js's is asked for where Jest has none: in the context around its own.
const { createRequire } = require('node:vm').runInThisContext("process.getBuiltinModule('node:module')")
module.exports = createRequire(__filename)('../dist/search/index.js')
