import { spawnSync } from 'node:child_process'
import { Child, cores, nodeOn } from './child.js'
import { Program } from './program.js'

const subjectProcess = new URL('subject-process.js', import.meta.url)
const clientProcess = new URL('client-process.js', import.meta.url)

/** How a figure is taken. Each gives an object with `measure(count)`: the value of one round, per request or call. */
export const measures = { http, program, calls, fresh, start }

/** CPU of a server per request, in microseconds. */
async function http (variant, context) {
  const child = await load(variant, context)
  const address = await child.ask({ do: 'listen' })
  return {
    ...asked(address, variant, context, {
      begin: () => child.ask({ do: 'begin' }),
      end: () => child.ask({ do: 'end' })
    }),
    stop: () => child.stop()
  }
}

/** The same of a server that is not ours, by what the system says of its process. */
async function program (variant, context) {
  const server = await Program.start(variant.program, cores.measured)
  let begun
  return {
    ...asked(server.address, variant, context, {
      begin () { begun = server.cpu() },
      end: () => server.cpu() - begun
    }),
    stop: () => server.stop()
  }
}

/** @param cpu tells what was used between its `begin` and its `end`, in microseconds */
function asked (address, { path, read = (body) => body }, { client, target }, cpu) {
  const asking = client(() => new Child(clientProcess, cores.client))
  const ask = (message) => asking.ask({ address, path: typeof path === 'function' ? path(target) : path, ...message })
  return {
    sample: async () => read(await ask({ do: 'body' })),
    warm: (count) => ask({ do: 'count', count }),
    async measure (count) {
      await ask({ do: 'count', count: Math.ceil(count / 10) })
      await cpu.begin()
      await ask({ do: 'count', count })
      return await cpu.end() / count
    }
  }
}

/** CPU of a function per call, in microseconds; where a call does `per` things, of one of them. */
async function calls (variant, context) {
  const child = await load(variant, context)
  return {
    sample: () => child.ask({ do: 'sample' }),
    warm: (count) => child.ask({ do: 'calls', count }),
    measure: async (count) => await child.ask({ do: 'calls', count }) / count / (variant.per ?? 1),
    stop: () => child.stop()
  }
}

/** What a fresh process measures of itself while it sets the subject up. */
async function fresh (variant, context) {
  return {
    ...untouched,
    async measure () {
      const child = await load(variant, context)
      const value = await child.ask({ do: 'value' })
      await child.stop()
      return value
    }
  }
}

/** CPU of a fresh process that imports some modules and does nothing else, its own start included, in microseconds. */
async function start ({ imports }, { library }) {
  const text = imports.map((name) => `import ${JSON.stringify(name === 'library' ? `${library}index.js` : name)}`).join('\n') +
    '\nconst { user, system } = process.cpuUsage()\nconsole.log(user + system)'
  const [command, args] = nodeOn(cores.measured, ['--input-type=module', '--eval', text])
  return {
    ...untouched,
    async measure () {
      const { status, stdout, stderr } = spawnSync(command, args, { cwd: import.meta.dirname, encoding: 'utf8' })
      if (status !== 0) throw new Error(stderr)
      return Number(stdout)
    }
  }
}

const untouched = { async sample () {}, async warm () {}, async stop () {} }

/** A server that subjects ask and that is not measured itself. */
export async function startTarget ({ subject, args }, context) {
  const child = await load({ subject, args }, { ...context, profiles: undefined }, cores.client)
  return { address: await child.ask({ do: 'listen' }), stop: () => child.stop() }
}

async function load ({ subject, args }, { rows, library, profiles, target }, core = cores.measured) {
  const flags = ['--expose-gc', ...profiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profiles}`]]
  const child = new Child(subjectProcess, core, flags)
  await child.ask({ do: 'load', rows, name: subject, args: { ...args, target }, library })
  return child
}
