import { register } from 'node:module'

// Lets Node read TypeScript, in worker threads as well: see .taprc.
register('./typescript-hooks.js', import.meta.url)
