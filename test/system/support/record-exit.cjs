'use strict'

// Preloaded into npm and all it starts: tells with which code the example itself exits, which npm may not pass on.
const { appendFileSync } = require('node:fs')

if (process.argv[1]?.endsWith('service.js')) {
  process.on('exit', (code) => appendFileSync(process.env.EXIT_FILE, `${code}\n`))
}
