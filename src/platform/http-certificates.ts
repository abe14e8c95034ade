/** Looks ahead at the certificates by which other systems prove who they are; asks nothing of them but the handshake. */
import { isIP } from 'node:net'
import { connect, type DetailedPeerCertificate } from 'node:tls'

/** When the first of the certificates ends by which the server behind an https address proves who it is. */
export type CertificateEnd = (url: string) => Promise<Date>

const HTTPS_PORT = 443

/**
 * By a handshake of its own, after which nothing is sent: whether the certificate holds is judged by each call, and one
 * that does not is looked at as well. Rejects when the server cannot be reached or speaks no TLS.
 */
export const certificateEnd =
  (timeoutMs: number): CertificateEnd =>
  (url) =>
    new Promise((resolve, reject) => {
      const { hostname, port } = new URL(url)
      const host = hostname.replace(/^\[|\]$/g, '')
      const socket = connect({
        host,
        port: Number(port || HTTPS_PORT),
        ...(isIP(host) ? {} : { servername: host }),
        rejectUnauthorized: false,
        timeout: timeoutMs,
      })
      socket.once('timeout', () => socket.destroy(new Error(`${host} did not answer in time`)))
      socket.once('error', reject)
      socket.once('secureConnect', () => {
        resolve(firstEnd(socket.getPeerCertificate(true)))
        socket.destroy()
      })
    })

/** Of the certificate and those that vouch for it; one at the root of the chain vouches for itself. */
function firstEnd(certificate: DetailedPeerCertificate): Date {
  let first = new Date(certificate.valid_to)
  let at = certificate
  while (at.issuerCertificate && at.issuerCertificate !== at) {
    at = at.issuerCertificate
    const end = new Date(at.valid_to)
    if (end < first) first = end
  }
  return first
}
