/** Every setting there is: what it means, what it may be, and what it is when nobody says. One section, one const. */
import { z } from 'zod'
import { Freshness } from './config-freshness.ts'
import { WorkingHours } from './config-hours.ts'
import { Inbox } from './config-inbox.ts'
import { Labels } from './config-labels.ts'
import { Publishing } from './config-publishing.ts'
import { AdjustmentRules, LocationGroups, ReservationRules } from './config-reservations.ts'
import { Feeds, StockSource } from './config-stock.ts'
import { milliseconds } from './config-values.ts'
import { HoldType } from './domains/orders/contract.ts'
import { Policy } from './platform/policies.ts'
import { TimeZoneName } from './platform/time-zone.ts'

/** What a setting is beyond its type; carried into the JSON Schema, from which everything else is derived. */
export type SettingTraits = {
  /** Never shown. May be given as `env:NAME`, `file:PATH`, or by an environment variable ending in `_FILE`. */
  readonly secret?: true
  /** Relative ones are resolved against the folder the program is started in. */
  readonly path?: true
  /** How the names of a record are written, for those that come from environment variables. */
  readonly names?: 'kebab-case' | 'camelCase'
}

const traits = (given: SettingTraits) => given

const secret = (meaning: string, example: string) =>
  z
    .string()
    .min(1)
    .meta({ description: meaning, examples: [example], ...traits({ secret: true }) })

const folder = (meaning: string, byDefault: string) =>
  z
    .string()
    .min(1)
    .meta({ description: meaning, ...traits({ path: true }) })
    .default(byDefault)

const code = (meaning: string, example: string) =>
  z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/, 'must be 1 to 32 letters, digits, "-" or "_"')
    .meta({ description: meaning, examples: [example] })

const webAddress = (meaning: string, example: string) =>
  z
    .url({ protocol: /^https?$/, error: 'must be an http or https address' })
    .refine(
      (url) => !/^https?:\/\/[^/]*@/.test(url),
      'must not carry user and password; they are credentials',
    )
    .meta({ description: meaning, examples: [example] })

const zone = TimeZoneName.meta({ description: 'IANA time zone', examples: ['America/Chicago'] })

const Http = z.strictObject({
  host: z
    .string()
    .min(1)
    .describe('Address to listen on. Beyond loopback it needs credentials configured')
    .default('127.0.0.1'),
  port: z.int().min(0).max(65_535).describe('Port to listen on; 0 takes a free one').default(7300),
  requestTimeoutMs: milliseconds('A request that takes longer is answered with 503', 30_000, 600_000),
})

const Database = z.strictObject({
  url: secret(
    'PostgreSQL 15 or later to use instead of the embedded server; also read from DATABASE_URL',
    'postgresql://crossdock:secret@db.example.com/crossdock',
  )
    .regex(/^postgres(ql)?:\/\//, 'must begin with postgresql://')
    .optional(),
  dataDirectory: folder('Folder of the embedded PostgreSQL server', '.crossdock/postgres'),
  poolSize: z.int().min(2).max(500).describe('Connections of one process').default(10),
  statementTimeoutMs: milliseconds('A statement that takes longer is cancelled', 5_000),
  lockTimeoutMs: milliseconds('A statement that waits longer for a lock is cancelled', 2_000),
  idleInTransactionTimeoutMs: milliseconds(
    'A transaction that does nothing for longer is rolled back',
    5_000,
  ),
})

const Worker = z.strictObject({
  inFlightMax: z
    .int()
    .min(1)
    .max(100_000)
    .describe('Documents worked on at once; over it, acceptance waits')
    .default(300),
  batchMax: z.int().min(1).max(1_000).describe('Items in one transaction at most').default(100),
  claimPollMs: milliseconds('How often the desk is looked at when nobody notifies', 500, 60_000),
  backlogMax: z
    .int()
    .min(1)
    .max(10_000_000)
    .describe('Documents due that no worker has taken; over it, an `api` process answers new work with 429')
    .default(50_000),
})

const Jwt = z.strictObject({
  issuer: webAddress('Who issues the tokens: their "iss"', 'https://login.example.com/'),
  audience: z
    .string()
    .min(1)
    .meta({ description: 'Whom they are for: their "aud"', examples: ['crossdock'] }),
  jwksUrl: webAddress(
    'Where the issuer publishes its keys',
    'https://login.example.com/.well-known/jwks.json',
  ),
  algorithms: z
    .array(z.enum(['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA']))
    .min(1)
    .describe('Signatures that are taken')
    .default(['RS256', 'PS256', 'ES256', 'EdDSA']),
  requireAccessTokenType: z
    .boolean()
    .describe('Refuse tokens without "typ: at+jwt" (RFC 9068)')
    .default(false),
  maxLifetimeSeconds: z
    .int()
    .min(60)
    .max(604_800)
    .describe('Longest lifetime a token may claim')
    .default(86_400),
})

const Access = z.strictObject({
  jwt: Jwt.describe('Bearer tokens of an identity provider; without it only API keys are taken').optional(),
  pageTokenSecret: secret(
    'Signs page cursors, the same in every process; without it each start makes a new one',
    'file:/run/secrets/page-token',
  )
    .min(32)
    .optional(),
})

const CreditRules = z.strictObject({
  staleAfterHours: z
    .number()
    .gt(0)
    .max(8_760)
    .describe("The ERP's receivables are too old to decide on after this time")
    .default(24),
  fallback: z
    .enum(['hold', 'accept', 'refuse'])
    .describe(
      'What happens to an order when they are: a person decides, the old figures count, or it is refused',
    )
    .default('hold'),
})

const PriceRules = z.strictObject({
  tolerancePercent: z
    .number()
    .min(0)
    .max(100)
    .describe("How far a customer's expected price may be from ours, either way")
    .default(2),
  toleranceMinor: z
    .int()
    .min(0)
    .describe('The same as an amount in minor units; the larger one counts')
    .default(0),
  within: z.enum(['customer', 'ours']).describe('Whose price counts within the tolerance').default('ours'),
  beyond: z
    .enum(['hold', 'reject', 'accept'])
    .describe('Beyond it: a person decides, the line is rejected, or our price counts')
    .default('hold'),
})

const HoldRules = z.strictObject({
  expireAfterDays: z
    .number()
    .gt(0)
    .max(3_650)
    .describe('An order on whose hold nobody has decided for so long is cancelled; without it, it waits')
    .optional(),
})

const Company = z.strictObject({
  code: code('Short name, on every document', 'NORTH'),
  name: z
    .string()
    .min(1)
    .meta({ description: 'Name of the legal entity', examples: ['Northern Wholesale Inc.'] }),
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code')
    .meta({ description: 'Currency of its books, ISO 4217', examples: ['USD'] }),
  timeZone: zone,
  country: z
    .string()
    .regex(/^[A-Z]{2}$/, 'must be an ISO 3166-1 code of two letters')
    .meta({ description: 'ISO 3166-1 code', examples: ['US'] }),
  erp: code('The system that keeps its books', 'erp-north'),
  tax: code('Who computes its taxes: "erp", or a system', 'erp').default('erp'),
  credit: CreditRules.prefault({}),
  price: PriceRules.prefault({}),
  holds: HoldRules.prefault({}),
  reservations: ReservationRules,
  adjustments: AdjustmentRules,
  hours: WorkingHours.prefault({}),
})

const System = z.strictObject({
  connector: code('Folder of its connector under src/systems', 'erp-tryton'),
  baseUrl: webAddress('Where it answers', 'https://erp.example.com/api'),
  credentials: z
    .record(
      z.string().min(1),
      secret('A credential under the name its connector asks for', 'env:ERP_PASSWORD'),
    )
    .meta(traits({ names: 'camelCase' }))
    .default({}),
  policy: Policy.prefault({}),
  stock: StockSource.prefault({}),
  options: z
    .record(z.string(), z.unknown())
    .meta({ description: 'What only its connector knows; never a secret', ...traits({ names: 'camelCase' }) })
    .default({}),
})

const Location = z.strictObject({
  code: code('Short name, on every movement', 'CHI-1'),
  company: code('Whose it is; left out when companies share it', 'NORTH').optional(),
  type: z.enum(['warehouse', 'store', '3pl', 'supplier', 'van']).describe('What kind of place it is'),
  wms: code('The system or EDI partner that runs it; left out when nobody does', 'wms-chicago').optional(),
  timeZone: zone,
  groups: LocationGroups,
  labels: Labels,
})

const Edi = z.strictObject({
  enabled: z.boolean().describe('Whether the inbox is watched').default(false),
  inboxDirectory: folder('Where interchanges arrive', '.crossdock/edi/inbox'),
  outboxDirectory: folder('Where ours are left for the partner', '.crossdock/edi/outbox'),
  archiveDirectory: folder('Where files go that have been read', '.crossdock/edi/archive'),
  rejectDirectory: folder('Where files go that cannot be read at all', '.crossdock/edi/reject'),
  partnersDirectory: folder('Partner guides, a file each', 'partners'),
  pollMs: milliseconds('How often the inbox is looked at', 1_000, 600_000),
  maxFileBytes: z
    .int()
    .min(1_024)
    .max(1_000_000_000)
    .describe('Larger files are rejected')
    .default(50_000_000),
})

const MINUTES_OF_A_YEAR = 525_600

const flow = (what: string, warnMinutes: number, dueMinutes: number) =>
  z
    .strictObject({
      warnMinutes: z
        .number()
        .gt(0)
        .max(MINUTES_OF_A_YEAR)
        .describe(`When somebody is warned: ${what}`)
        .default(warnMinutes),
      dueMinutes: z
        .number()
        .gt(0)
        .max(MINUTES_OF_A_YEAR)
        .describe(`The longest it may take: ${what}`)
        .default(dueMinutes),
      hours: z
        .enum(['working', 'all'])
        .describe("Whether only the company's working hours count")
        .default('working'),
    })
    .refine((set) => set.warnMinutes <= set.dueMinutes, {
      path: ['warnMinutes'],
      message: 'must not be more than dueMinutes',
    })
    .prefault({})

const Sla = z.strictObject({
  orderToErpPosting: flow('from accepting an order to its ERP number', 10, 15),
  orderToInvoicePosting: flow('from a shipment to its posted invoice', 45, 60),
  pausedBy: z
    .array(HoldType)
    .describe(
      "Holds that are the customer's or a person's: while one keeps an order from the ERP, its clock stands still",
    )
    .default([
      'credit',
      'price_review',
      'fraud',
      'duplicate_suspect',
      'customer_request',
      'payment',
      'edi_mismatch',
      'margin_floor',
    ]),
})

const Telemetry = z.strictObject({
  logLevel: z.enum(['debug', 'info', 'warn', 'error']).describe('The least that is logged').default('info'),
})

const Demo = z.strictObject({
  enabled: z.boolean().describe('Whether invented orders are driven through the doors').default(false),
  ordersPerMinute: z.number().gt(0).max(60_000).describe('How many').default(60),
  seed: z.int().min(0).max(4_294_967_295).describe('The same seed invents the same world').default(1),
})

const Audit = z.strictObject({
  headsDirectory: folder(
    'Folder of the signed heads of the audit trail; best on another disk than the database',
    '.crossdock/audit',
  ),
  signingKey: secret(
    'Ed25519 private key, PEM, that signs the heads; without it one is made in that folder',
    'file:/run/secrets/audit-key.pem',
  ).optional(),
  formerKeys: z
    .array(z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'must be a public key as a head names it'))
    .describe('Public keys that signed heads before the one in use')
    .default([]),
})

const Subscriptions = z.strictObject({
  typePrefix: z
    .string()
    .regex(/^[a-z0-9-]+(\.[a-z0-9-]+)+$/, 'must be a domain name in reverse')
    .describe('Before the type of every event that is told outside')
    .default('org.crossdock'),
  secretKey: secret(
    'Seals the secrets of webhooks in the database, the same in every process; without it one is made in the folder',
    'file:/run/secrets/webhook-key',
  )
    .min(32)
    .optional(),
  keyDirectory: folder('Folder of the key that seals them where none is set', '.crossdock/subscriptions'),
  ports: z.array(z.int().min(1).max(65_535)).min(1).describe('Ports that webhooks may call').default([443]),
  trustedAddresses: z
    .array(z.string().regex(/^[\da-f:.]{2,45}$/i, 'must be an IP address'))
    .describe('Inner addresses that webhooks may call nevertheless, on any port and without TLS')
    .default([]),
  logDays: z.int().min(1).max(3_650).describe('How long each attempt stays in the delivery log').default(30),
})

export const Config = z.strictObject({
  role: z
    .enum(['all', 'api', 'worker'])
    .describe('What this process does: everything, only the doors, or only the work behind them')
    .default('all'),
  http: Http.prefault({}),
  database: Database.prefault({}),
  worker: Worker.prefault({}),
  inbox: Inbox.prefault({}),
  access: Access.prefault({}),
  audit: Audit.prefault({}),
  companies: z.array(Company).describe('Legal entities, each on its ERP').default([]),
  systems: z
    .record(z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'must be a name such as erp-north'), System)
    .meta({ description: 'Outside systems, by the name of the instance', ...traits({ names: 'kebab-case' }) })
    .default({}),
  locations: z.array(Location).describe('Places that hold stock or send it').default([]),
  feeds: Feeds,
  freshness: Freshness,
  publishing: Publishing,
  edi: Edi.prefault({}),
  sla: Sla.prefault({}).describe('How long documents may take before somebody is told'),
  subscriptions: Subscriptions.prefault({}).describe('Events told to whoever subscribes to them'),
  telemetry: Telemetry.prefault({}),
  demo: Demo.prefault({}),
})

export type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T
export type Config = DeepReadonly<z.output<typeof Config>>
/** What a file or the demo may give: everything that has a default may be left out. */
export type ConfigInput = z.input<typeof Config>
