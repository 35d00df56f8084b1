// Preloaded into a sample: the time that its code sees stands still, and passes when the test says so over IPC.
// What is replaced is what the library calls. Node's own timers, those of sockets among them, go on as ever.
import { isMainThread } from 'node:worker_threads'

const timers = new Set()
const real = { clearTimeout }
let time = 0

class Timer {
  at
  #call
  #delay

  constructor (call, delay) {
    this.#call = call
    this.#delay = delay
    this.refresh()
  }

  refresh () {
    this.at = time + this.#delay
    timers.add(this)
    return this
  }

  ref () {
    return this
  }

  unref () {
    return this
  }

  fire () {
    timers.delete(this)
    this.#call()
  }
}

function install () {
  const began = Date.now()
  Date.now = () => began + time
  performance.now = () => time
  globalThis.setTimeout = (call, delay = 1, ...args) => new Timer(() => call(...args), delay)
  globalThis.clearTimeout = (timer) => timer instanceof Timer ? timers.delete(timer) : real.clearTimeout(timer)
}

/** Timers fire in their order, each at its time, and what they set off without a wait comes to its end. */
async function advance (milliseconds) {
  const end = time + milliseconds
  for (let next = nextUntil(end); next !== undefined; next = nextUntil(end)) {
    time = next.at
    next.fire()
    await new Promise((resolve) => setImmediate(resolve))
  }
  time = end
}

function nextUntil (end) {
  return [...timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
}

// The thread that verifies passwords is loaded with this as well, and has no say.
if (isMainThread) {
  install()
  process.on('message', async (milliseconds) => {
    await advance(milliseconds)
    process.send([...timers].map(({ at }) => at - time))
  })
  // To listen for that does not keep the sample alive.
  process.channel.unref()
}
