import type { ServiceContext, ServiceOptions } from '../../../types/failover.js'
import { hostAndPort, hostOf } from '../../checks/peer.js'
import { portOf } from '../../checks/service-port.js'
import { codedError } from '../../core/errors.js'
import { invalid, knownOptions } from '../../core/options.js'
import { reasonOf } from '../reason.js'
import { Service } from '../service.js'
import { askLine, type Peer } from './ask-line.js'

export interface MemcachedServiceOptions extends Omit<ServiceOptions, 'host' | 'port' | 'failoverSettings' | 'standby' | 'failover' | 'recover' | 'ping'> {
  /** The nodes, as `host:port`, `[IPv6]:port`, or a host alone for port 11211. */
  servers: readonly string[]
}

/** https://github.com/memcached/memcached/blob/master/doc/protocol.txt */
const usualPort = 11_211

/**
 * The nodes of a memcached cluster, each asked for its version. It reports, and switches nothing: clients leave a dead node out by
 * themselves. YELLOW while some nodes are down, RED while all are.
 *
 * @example
 * monitor.register(new MemcachedService({ servers: ['cache-1:11211', 'cache-2:11211'] }))
 */
export class MemcachedService extends Service {
  readonly #nodes: readonly Peer[]
  /** What each node said last. */
  #said: Record<string, string> = {}
  #asking: Promise<void> | undefined

  /**
   * @throws ERR_UNKNOWN_OPTION, ERR_INVALID_OPTION, ERR_OPTION_OUT_OF_RANGE
   */
  constructor (options: MemcachedServiceOptions) {
    const { servers, ...service } = knownOptions(options, memcachedOptions, 'MemcachedService')
    if (!Array.isArray(servers) || servers.length === 0) throw invalid('the option "servers"', 'an array of one server or more', servers)
    const nodes = servers.map(nodeOf)
    super({ name: 'memcached', ...service })
    this.#nodes = nodes
    // The others are what is failed over to: where one of them is up, the cache goes on.
    // Those that hang are called off with the ping, and say so a moment later.
    this.standby = async () => {
      await this.#asking
      return Object.values(this.#said).includes('up')
    }
  }

  /** @throws ERR_SERVICE_DOWN where a node is down; it names all that are */
  override async ping ({ signal }: ServiceContext): Promise<void> {
    const asking = Promise.all(this.#nodes.map(async (node) => [hostAndPort(node.host, node.port), await stateOf(node, signal)] as const))
    this.#asking = asking.then((said) => { this.#said = Object.fromEntries(said) })
    await this.#asking
    const said = await asking
    const down = said.filter(([, state]) => state !== 'up')
    if (down.length > 0) throw codedError('ERR_SERVICE_DOWN', down.map(([, state]) => state).join('; '))
  }

  /** Nothing: clients do it. */
  override failover (_context: ServiceContext): void {}

  /** Nothing: clients do it. */
  override recover (_context: ServiceContext): void {}

  override details (): object {
    return { nodes: this.#said }
  }
}

async function stateOf (node: Peer, signal: AbortSignal): Promise<string> {
  try {
    const answer = await askLine(node, 'version', signal)
    return answer.startsWith('VERSION ') ? 'up' : `${hostAndPort(node.host, node.port)} is no memcached`
  } catch (error) {
    return reasonOf(error)
  }
}

function nodeOf (server: unknown): Peer {
  const what = 'a server in the option "servers"'
  const [, bracketed, bare, port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d+))?$/.exec(typeof server === 'string' ? server : '') ?? []
  const host = bracketed ?? bare
  if (host === undefined || host === '') throw invalid(what, '"host:port", "[IPv6]:port" or a host', server)
  return { host: hostOf(host, what), port: port === undefined ? usualPort : portOf(Number(port), what) }
}

const memcachedOptions = [
  'servers', 'name', 'timeout', 'monitoringPingFrequency', 'outagePingFrequency', 'errorPingFrequency', 'recoverAfter'
] as const
