import { serve } from './child.js'

// The process that is measured: it holds one subject, and reads its own CPU time.

let subject
let begun

const answers = {
  /** A subject is a function of the library's address and its arguments, exported by a file of rows. */
  async load ({ rows, name, library, args }) {
    const { subjects } = await import(rows)
    subject = await subjects[name](library, args ?? {})
  },

  /** A subject that is a server: gives the address. */
  async listen () {
    return await subject.listen({ host: '127.0.0.1', port: 0 })
  },

  begin () {
    begun = process.cpuUsage()
  },

  end () {
    return microseconds(process.cpuUsage(begun))
  },

  /** CPU of so many calls, without what prepares each of them. */
  async calls ({ count }) {
    if (subject.prepare === undefined) {
      const before = process.cpuUsage()
      for (let call = 0; call < count; call++) await subject.call()
      return microseconds(process.cpuUsage(before))
    }
    let total = 0
    for (let call = 0; call < count; call++) {
      await subject.prepare()
      const before = process.cpuUsage()
      await subject.call()
      total += microseconds(process.cpuUsage(before))
    }
    return total
  },

  /** What the subject makes, for the comparison with its peer. */
  async sample () {
    return await subject.sample?.()
  },

  /** What the subject itself measured while it was set up. */
  value () {
    return subject
  }
}

function microseconds ({ user, system }) {
  return user + system
}

serve((message) => answers[message.do](message))
