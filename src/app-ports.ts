/** What the house is handed from outside: time, database, network, and where it tells. */
import type { AuditHeads } from '#platform/audit-heads.ts'
import type { CertificateEnd } from '#platform/http-certificates.ts'
import type { Clock } from '#platform/clock.ts'
import type { Connections } from '#platform/database.ts'
import type { DiskRoom } from '#platform/disk-room.ts'
import type { AddressRules } from '#platform/http-address-guard.ts'
import type { HttpClient } from '#platform/http-client.ts'
import type { Chance } from '#platform/ids.ts'
import type { Notices } from '#platform/notices.ts'
import type { SecretBox } from '#platform/secret-box.ts'
import type { Log } from '#platform/telemetry-log.ts'
import type { Metrics } from '#platform/telemetry-metrics.ts'
import type { Files } from './systems/edi/files.ts'

/** The way to addresses that others name, and what keeps the secrets shared with them. */
export type Outward = {
  /** Guarded by the rules. */
  readonly http: HttpClient
  readonly rules: AddressRules
  readonly box: SecretBox
}

export type AppPorts = {
  /** For what decides: plans by index only. */
  readonly connections: Connections
  /** For what is shown. */
  readonly screens: Connections
  /** Word from and to the other processes. */
  readonly notices: Notices
  readonly clock: Clock
  /** The system's own unless a simulation hands in another. */
  readonly chance?: Chance
  readonly http: HttpClient
  /** Without it nobody looks ahead at the certificates of other systems. */
  readonly certificateEnd?: CertificateEnd
  /** Asked before anything new is taken in; without it only the database says when it has no room. */
  readonly disk?: DiskRoom
  /** Folders of EDI partners: on disk unless a simulation hands in its own. */
  readonly files?: Files
  /** Without it nobody is sent webhooks. */
  readonly outward?: Outward | undefined
  readonly log: Log
  readonly metrics: Metrics
  /** Where heads of the audit trail are signed to; without it none are. */
  readonly auditHeads?: AuditHeads | undefined
  /** Callers on loopback need no credentials: while none are configured. */
  readonly openOnLoopback: boolean
  /** Tests check the lock order, the answers of routes and the facts that memory carries. */
  readonly checks?: boolean
}
