/**
 * Keeps calls to addresses that others name out of our own network: the address is judged as it is written, as its name
 * resolves, and as it was dialled. A guard in the resolver alone is passed by every literal.
 */
import dns, { type LookupAddress } from 'node:dns'
import { isIP, type LookupFunction, type Socket } from 'node:net'
import ipaddr from 'ipaddr.js'
import { buildConnector } from 'undici'

export type AddressRules = {
  /** Ports that may be dialled. */
  readonly ports: readonly number[]
  /** Literal addresses that count as outside, on any port and without TLS: for a receiver on this machine. */
  readonly trusted: readonly string[]
}

/** Finds every address of a name. */
export type Resolve = (name: string) => Promise<readonly LookupAddress[]>

const HTTPS_PORT = 443
const URL_MAX = 2_000

/** Unicast by their range, and nobody's public address: cloud metadata, and embedded or unallocated IPv6. */
const DENIED = ['168.63.129.16/32', '192.0.0.0/24', '100.64.0.0/10'].map((cidr) => ipaddr.parseCIDR(cidr))
const GLOBAL_IPV6 = ipaddr.parseCIDR('2000::/3')

/** Whether a literal address belongs to the outside world; IPv4 in IPv6 is judged as what it carries. */
export function isPublicAddress(text: string): boolean {
  const literal = isIP(text) === 6 ? inSixteens(text) : text
  if (literal === undefined || isIP(literal) === 0) return false
  const address = ipaddr.process(literal)
  if (address.range() !== 'unicast') return false
  if (address.kind() === 'ipv6') return address.match(GLOBAL_IPV6)
  return !DENIED.some((cidr) => address.match(cidr))
}

/** An IPv6 address without dots: `::8.8.8.8` is not what its dots say. Undefined for one with a zone. */
const inSixteens = (text: string): string | undefined => URL.parse(`http://[${text}]`)?.hostname.slice(1, -1)

const isTrusted = ({ trusted }: AddressRules, address: string): boolean =>
  isIP(address) !== 0 && trusted.includes(ipaddr.process(address).toString())

const mayDial = (rules: AddressRules, address: string): boolean =>
  isPublicAddress(address) || isTrusted(rules, address)

/** Names that only this machine or this network answers to. */
const INNER_NAME = /(^|\.)(localhost|local|internal|intranet|lan|home|corp|home\.arpa|localdomain)$/

/** Why nobody may have us call this address; undefined when we may. What its name resolves to is judged at each call. */
export function refusedAddress(rules: AddressRules, text: string): string | undefined {
  if (text.length > URL_MAX) return 'it is too long'
  const url = URL.parse(text)
  if (!url) return 'it is no web address'
  const host = url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '')
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'it is no web address'
  if (url.username !== '' || url.password !== '') return 'it carries a user or a password'
  if (url.hash !== '') return 'it carries a fragment'
  if (isTrusted(rules, host)) return undefined
  if (url.protocol !== 'https:') return 'it is not https'
  const port = url.port === '' ? HTTPS_PORT : Number(url.port)
  if (!rules.ports.includes(port)) return `port ${port} is not allowed`
  if (isIP(host) !== 0) return isPublicAddress(host) ? undefined : 'it is no public address'
  if (!host.includes('.') || INNER_NAME.test(host)) return 'its name is of an inner network'
  return undefined
}

/** The address is not dialled, or what was dialled is not spoken to. */
export class AddressRefused extends Error {
  constructor(address: string) {
    super(`${address} is no address that may be called`)
    this.name = 'AddressRefused'
  }
}

const systemResolve: Resolve = (name) => dns.promises.lookup(name, { all: true })

export type GuardedConnection = {
  readonly rules: AddressRules
  readonly timeoutMs: number
  readonly ca?: readonly string[]
  readonly resolve?: Resolve
}

/** A connector for the HTTP client that reaches only what the rules allow, whatever a name resolves to by then. */
export function guardedConnector(guarded: GuardedConnection): buildConnector.connector {
  const { rules, timeoutMs, ca, resolve = systemResolve } = guarded
  const dial = buildConnector({
    timeout: timeoutMs,
    lookup: guardedLookup(rules, resolve),
    ...(ca ? { ca: [...ca] } : {}),
  })
  return (options, callback) => {
    const host = options.hostname.replace(/^\[|\]$/g, '')
    if (isIP(host) !== 0 && !mayDial(rules, host)) return callback(new AddressRefused(host), null)
    dial(options, (...answer) => {
      const [error, socket] = answer
      if (error) return callback(error, null)
      const refusal = refuseConnected(rules, socket)
      if (refusal) return callback(refusal, null)
      callback(null, socket)
    })
  }
}

/** The last look: at whom the socket is really connected to. */
export function refuseConnected(
  rules: AddressRules,
  socket: Pick<Socket, 'remoteAddress' | 'destroy'>,
): AddressRefused | undefined {
  const address = socket.remoteAddress ?? 'an unknown address'
  if (mayDial(rules, address)) return undefined
  socket.destroy()
  return new AddressRefused(address)
}

/** One inner address among them refuses the name: it is being turned against us. */
function guardedLookup(rules: AddressRules, resolve: Resolve): LookupFunction {
  return (name, options, callback) => {
    const answer = async (): Promise<void> => {
      const addresses = await resolve(name)
      const inner = addresses.find(({ address }) => !mayDial(rules, address))
      const [first] = addresses
      if (inner || !first) throw new AddressRefused(inner?.address ?? name)
      if (options.all) callback(null, [...addresses])
      else callback(null, first.address, first.family)
    }
    answer().catch((error: NodeJS.ErrnoException) => callback(error, '', 0))
  }
}
