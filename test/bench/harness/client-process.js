import { connect } from 'node:net'
import { serve } from './child.js'

// The client: raw keep-alive sockets, one request at a time on each. Its own CPU is not measured, but a client that
// sleeps has to be woken by the server with every reply, at the server's cost: so it takes little for a request, and
// stays awake while it waits for replies.

const connections = 16
const pools = new Map()

serve(async (message) => {
  const pool = await poolOf(message)
  if (message.do === 'body') return await pool[0].get()
  const mayGoOn = counted(message.count)
  const awake = stayAwake()
  await Promise.all(pool.map((socket) => socket.getWhile(mayGoOn)))
  awake.end()
})

function stayAwake () {
  let wanted = true
  const again = () => { if (wanted) setImmediate(again) }
  again()
  return { end () { wanted = false } }
}

function counted (count) {
  return () => count-- > 0
}

async function poolOf ({ address, path }) {
  const key = address + path
  if (!pools.has(key)) {
    pools.set(key, await Promise.all(Array.from({ length: connections }, () => Connection.open(new URL(address), path))))
  }
  return pools.get(key)
}

class Connection {
  static open ({ hostname, port }, path) {
    return new Promise((resolve, reject) => {
      // One buffer a connection: a fresh one for every read is most of what a client costs.
      const onread = { buffer: Buffer.allocUnsafe(65_536), callback: (length, buffer) => connection.read(buffer.subarray(0, length)) }
      const socket = connect({ port: Number(port), host: hostname, noDelay: true, onread }, () => resolve(connection))
      const connection = new Connection(socket, path)
      socket.on('error', reject)
    })
  }

  #socket
  #request
  #chunks = []
  #missing = -1
  #whole
  #failed
  #keep = false
  /** Of a reply in chunks: as much as it takes to know the last one. */
  #end = ''

  constructor (socket, path) {
    this.#socket = socket
    this.#request = Buffer.from(`GET ${path} HTTP/1.1\r\nHost: bench\r\n\r\n`)
    socket.on('close', () => this.#failed?.(new Error(`the server closed a connection for ${path}`)))
  }

  /** The body of one reply. */
  async get () {
    let head = true
    await this.getWhile(() => head && !(head = false), true)
    const reply = Buffer.concat(this.#chunks)
    this.#chunks = []
    return reply.subarray(reply.indexOf('\r\n\r\n') + 4).toString()
  }

  getWhile (mayGoOn, keep = false) {
    return new Promise((resolve, reject) => {
      this.#failed = reject
      this.#keep = keep
      const next = () => {
        if (!mayGoOn()) return resolve()
        this.#missing = -1
        this.#end = ''
        this.#socket.write(this.#request)
      }
      this.#whole = next
      next()
    })
  }

  /** Gives whether to go on reading. */
  read (chunk) {
    if (this.#keep) this.#chunks.push(Buffer.from(chunk))
    if (this.#missing === -1) this.#missing = missingAfterHead(chunk)
    else if (this.#missing !== chunked) this.#missing -= chunk.length
    if (this.#missing === chunked) {
      this.#end = (this.#end + chunk.subarray(-lastChunk.length).latin1Slice()).slice(-lastChunk.length)
      if (this.#end === lastChunk) this.#whole()
    } else if (this.#missing === 0) this.#whole()
    else if (this.#missing < 0) this.#failed(new Error('the server sent more than it announced'))
    return true
  }
}

/** What comes in chunks comes until the last one: https://www.rfc-editor.org/rfc/rfc9112#section-7.1 */
const chunked = Infinity
const lastChunk = '\r\n0\r\n\r\n'

/** How much of the body is still to come; the head of a reply is small enough to come in one piece. */
function missingAfterHead (chunk) {
  const end = chunk.indexOf('\r\n\r\n')
  const head = chunk.latin1Slice(0, end)
  if (head.startsWith('HTTP/1.1 200') && /\r\ntransfer-encoding: chunked/i.test(head)) return chunked
  const length = /\r\ncontent-length: (\d+)/i.exec(head)
  if (!head.startsWith('HTTP/1.1 200') || length === null) throw new Error(`unexpected reply: ${head}`)
  return Number(length[1]) - (chunk.length - end - 4)
}
