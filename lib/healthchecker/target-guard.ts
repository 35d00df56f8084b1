import { BlockList, isIP, SocketAddress, type LookupFunction } from 'node:net'
import { codedError, show } from '../core/errors.js'
import { invalid, stringList } from '../core/options.js'
import { systemNames, type Names } from '../checks/names.js'
import { embeddedIn, literalOf } from './ip-address.js'
import { KnownAddresses } from './known-addresses.js'

/** What no app may be, by reason. Clouds give the keys of a machine to whoever asks one of their addresses from it. */
const refused: ReadonlyArray<readonly [why: string, subnets: readonly string[]]> = [
  // https://www.rfc-editor.org/rfc/rfc1122#section-3.2.1.3: connecting to it is connecting to this machine
  ['no address of a machine', ['0.0.0.0/8', '::/128', '224.0.0.0/4', '240.0.0.0/4', 'ff00::/8']],
  // 169.254.169.254 of AWS, Azure, Google and others is one of these
  ['link-local', ['169.254.0.0/16', 'fe80::/10']],
  ['the metadata service of a cloud', [
    // AWS keeps this network for what it tells its machines: fd00:ec2::254 as above, and the keys of a pod at fd00:ec2::23
    // https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
    // https://docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html
    'fd00:ec2::/32',
    // Alibaba: https://www.alibabacloud.com/help/en/ecs/user-guide/view-instance-metadata
    '100.100.100.200/32',
    // Google: https://cloud.google.com/compute/docs/metadata/querying-metadata
    'fd20:ce::254/128',
    // Oracle, beside the link-local one
    '192.0.0.192/32',
    // Azure: https://learn.microsoft.com/en-us/azure/virtual-network/what-is-ip-address-168-63-129-16
    '168.63.129.16/32'
  ]]
]

const loopback = listOf(['127.0.0.0/8', '::1/128'])
const rules = refused.map(([why, subnets]) => [why, listOf(subnets)] as const)

/** Names of this machine, whatever a resolver says: https://www.rfc-editor.org/rfc/rfc6761#section-6.3 */
const localName = /(?:^|\.)localhost\.?$/i

/**
 * Decides which addresses may be asked. A host name is judged by the addresses that it leads to, at the very moment
 * when one of them is connected to: whoever registers has a name server too, and may change its mind.
 */
export class TargetGuard {
  readonly #allowed: BlockList | undefined
  readonly #addresses: KnownAddresses

  /**
   * @param allowTargets networks such as `10.0.0.0/8`, of which a target has to be in one
   * @throws ERR_INVALID_OPTION
   */
  constructor (allowTargets?: readonly string[], names: Names = systemNames) {
    stringList(allowTargets, 'the option "allowTargets"')
    this.#allowed = allowTargets === undefined ? undefined : listOf(allowTargets)
    this.#addresses = new KnownAddresses(names)
  }

  /**
   * Refuses a host that can be judged before it is resolved.
   *
   * @param remote whether another machine wants it to be asked
   * @throws ERR_TARGET_REFUSED
   */
  check (host: string, remote: boolean): void {
    const literal = literalOf(host)
    const why = literal !== undefined ? this.refusal(literal, remote) : remote && localName.test(host) ? local : undefined
    if (why !== undefined) throw refusal(`the target ${show(host)} is not asked: it is ${why}`)
  }

  /** What `check` would say, or `undefined` where the host may be asked. */
  whyNot (host: string, remote: boolean): string | undefined {
    try {
      this.check(host, remote)
    } catch (error) {
      return (error as Error).message
    }
  }

  /** Why an address is not asked, or `undefined` where it may be. */
  refusal (address: string, remote: boolean): string | undefined {
    const canonical = literalOf(address)
    if (canonical === undefined) return 'no IP address'
    const own = parsed(canonical)
    const all = own.family === 'ipv6' && canonical !== '::1' ? [own, ...embeddedIn(canonical).map(parsed)] : [own]
    for (const [why, list] of rules) {
      if (all.some((candidate) => list.check(candidate))) return why
    }
    if (remote && all.some((candidate) => loopback.check(candidate))) return local
    if (this.#allowed?.check(own) === false) return 'in no network that is allowed'
  }

  /** Resolves a host name to those of its addresses that may be asked. It is what a check connects with. */
  lookup (remote: boolean): LookupFunction {
    return (hostname, options, callback) => {
      this.#addresses.lookup(hostname, options, (error, addresses) => {
        if (error !== null) return callback(error, [])
        const fine = addresses.filter(({ address }) => this.refusal(address, remote) === undefined)
        if (fine.length > 0) return callback(null, fine)
        callback(refusal(`the host name leads to an address that is ${this.refusal(addresses[0].address, remote)}`), [])
      })
    }
  }
}

const local = 'the machine of the healthchecker, which only itself may have watched'

function refusal (message: string): Error {
  return codedError('ERR_TARGET_REFUSED', message, { statusCode: 400 })
}

/** Once for all lists: that takes longer than to look into them. */
function parsed (address: string): SocketAddress {
  return new SocketAddress({ address, family: isIP(address) === 6 ? 'ipv6' : 'ipv4' })
}

/** @throws ERR_INVALID_OPTION */
function listOf (subnets: readonly string[]): BlockList {
  const list = new BlockList()
  for (const subnet of subnets) {
    const [, address, bits] = /^([^/]+)\/(\d{1,3})$/.exec(subnet) ?? []
    const family = isIP(address ?? '')
    if (family === 0 || Number(bits) > (family === 6 ? 128 : 32)) {
      throw invalid('an entry of the option "allowTargets"', 'a network such as "10.0.0.0/8" or "fd00::/8"', subnet)
    }
    list.addSubnet(address, Number(bits), family === 6 ? 'ipv6' : 'ipv4')
  }
  return list
}
