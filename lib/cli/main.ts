#!/usr/bin/env node
import { systemClock } from '../core/clock.js'
import { run } from './run.js'

const { argv, env, stdout, stderr } = process
const ending = new AbortController()

// A second Ctrl-C ends a program that the first one does not.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ending.abort(signal))

// Not left to the event loop: a host name that is still being looked up would hold it.
process.exit(await run(argv.slice(2), { stdout, stderr, env, clock: systemClock, signal: ending.signal }))
