import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ConfigSources, loadConfig } from '#config'
import { configJsonSchema, describeConfig, redacted, renderConfigurationDocs } from '../../src/config-docs.ts'
import { ConfigError } from '../../src/config-problems.ts'
import type { ConfigInput } from '../../src/config-schema.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'crossdock-config-'))
})
afterAll(() => rm(directory, { recursive: true }))

const load = (sources: ConfigSources = {}) => loadConfig({ directory, environment: {}, ...sources })

async function file(text: string): Promise<string> {
  const name = `${Math.random().toString(36).slice(2)}.yaml`
  await writeFile(join(directory, name), text)
  return name
}

function failure(sources: ConfigSources): string {
  try {
    load(sources)
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    return String(error)
  }
  throw new Error('the configuration was taken')
}

const urlOf = (environment: Record<string, string>) => load({ environment }).database.url

const north = {
  code: 'NORTH',
  name: 'North',
  currency: 'USD',
  timeZone: 'America/Chicago',
  country: 'US',
  erp: 'erp-north',
}
const erp = { connector: 'erp-tryton', baseUrl: 'http://127.0.0.1:1/' }
const demo: Partial<ConfigInput> = { companies: [north], systems: { 'erp-north': erp } }

describe('the order of sources', () => {
  test('nothing at all is a complete configuration on loopback with an embedded database', () => {
    expect(load()).toMatchObject({
      http: { host: '127.0.0.1', port: 7300 },
      database: { dataDirectory: join(directory, '.crossdock/postgres'), statementTimeoutMs: 5_000 },
      worker: { inFlightMax: 300, batchMax: 100, claimPollMs: 500 },
      companies: [],
    })
    expect(load().database.url).toBeUndefined()
  })

  test('the file is over the defaults, the environment over the file, a flag over all', async () => {
    const name = await file('http: { port: 1, host: a }\nworker: { batchMax: 7 }\n')
    const environment = { CROSSDOCK_CONFIG: name, CROSSDOCK__HTTP__PORT: '2', CROSSDOCK__HTTP__HOST: 'b' }
    expect(load({ file: name }).http).toMatchObject({ port: 1, host: 'a' })
    expect(load({ environment }).http).toMatchObject({ port: 2, host: 'b' })
    const config = load({ environment, flags: { 'http.port': '3', 'http.host': undefined } })
    expect(config.http).toMatchObject({ port: 3, host: 'b' })
    expect(config.worker.batchMax).toBe(7)
  })

  test('crossdock.yaml is read where it is there, and a named file must be', async () => {
    await writeFile(join(directory, 'crossdock.yaml'), 'http: { port: 4 }')
    expect(load().http.port).toBe(4)
    await rm(join(directory, 'crossdock.yaml'))
    expect(() => load({ file: 'nowhere.yaml' })).toThrow(
      /nowhere\.yaml cannot be read[\s\S]*no such file[\s\S]*--config/,
    )
  })

  test('the demo lies beneath the file: systems by name, lists as a whole', async () => {
    const name = await file('systems: { erp-north: { policy: { timeoutMs: 99 } } }\nlocations: []\n')
    const config = load({ file: name, defaults: demo })
    expect(config.systems['erp-north']).toMatchObject({
      ...erp,
      policy: { timeoutMs: 99, retry: { maxAttempts: 12 } },
    })
    expect(config.companies).toMatchObject([{ ...north, tax: 'erp' }])
  })

  test('the result cannot be changed, however deep', () => {
    const config = load({ defaults: demo })
    expect(() => Object.assign(config.systems['erp-north']!.policy.retry, { maxAttempts: 1 })).toThrow(
      TypeError,
    )
  })
})

describe('the environment', () => {
  test('reaches lists, records and camel case, and reads numbers, booleans and YAML', () => {
    const {
      systems,
      companies,
      worker,
      access,
      database,
      demo: driven,
    } = load({
      defaults: demo,
      environment: {
        CROSSDOCK__DEMO__ENABLED: 'true',
        CROSSDOCK__WORKER__IN_FLIGHT_MAX: '50',
        CROSSDOCK__SYSTEMS__ERP_NORTH__BASE_URL: 'https://erp.example.com',
        CROSSDOCK__SYSTEMS__ERP_NORTH__CREDENTIALS__CLIENT_ID: '0042',
        CROSSDOCK__SYSTEMS__WMS_MAIN: '{connector: wms-x12, baseUrl: "http://wms.example.com"}',
        CROSSDOCK__COMPANIES__0__NAME: 'Northern',
        CROSSDOCK__ACCESS__PAGE_TOKEN_SECRET: '',
        DATABASE_URL: 'postgresql://generic@db/x',
        CROSSDOCK__DATABASE__URL: 'postgresql://ours@db/x',
      },
    })
    expect(worker).toMatchObject({ inFlightMax: 50 })
    expect(driven.enabled).toBe(true)
    expect(systems['erp-north']).toMatchObject({
      baseUrl: 'https://erp.example.com',
      credentials: { clientId: '0042' },
    })
    expect(systems['wms-main']?.connector).toBe('wms-x12')
    expect(companies[0]).toMatchObject({ code: 'NORTH', name: 'Northern' })
    expect(access.pageTokenSecret).toBeUndefined()
    expect(database.url).toBe('postgresql://ours@db/x')
  })

  test('leaves the variables of others alone, such as those Kubernetes makes for a service of our name', () => {
    expect(load({ environment: { CROSSDOCK_PORT: 'tcp://10.0.0.1:7300', HOME: '/' } })).toEqual(load())
  })
})

describe('a role', () => {
  test.each(['api', 'worker'])('of %s needs a database that processes can share', (role) => {
    expect(() => load({ flags: { role } })).toThrow(
      `"${role}" shares a database with other processes; name it in database.url`,
    )
    const environment = { DATABASE_URL: 'postgresql://db/x' }
    expect(load({ flags: { role }, environment }).role).toBe(role)
  })

  test('is everything unless said otherwise', () => {
    expect(load().role).toBe('all')
  })
})

describe('a secret', () => {
  test('may be a file named by its variable, or refer to a variable or a file', async () => {
    await writeFile(join(directory, 'secret'), 'postgresql://u:p@db/x\n')
    const expected = 'postgresql://u:p@db/x'
    expect(urlOf({ DATABASE_URL_FILE: 'secret' })).toBe(expected)
    expect(urlOf({ CROSSDOCK__DATABASE__URL_FILE: join(directory, 'secret') })).toBe(expected)
    expect(urlOf({ CROSSDOCK__DATABASE__URL: 'file:secret' })).toBe(expected)
    expect(urlOf({ CROSSDOCK__DATABASE__URL: 'env:MINE', MINE: expected })).toBe(expected)
  })

  test('is shown nowhere: not in what is printed, not in an error', () => {
    const environment = {
      DATABASE_URL: 'postgresql://user:hush@db.example.com/orders?password=hush',
      CROSSDOCK__SYSTEMS__ERP_NORTH__CREDENTIALS__PASSWORD: 'hush-too',
      CROSSDOCK__ACCESS__PAGE_TOKEN_SECRET: 'hush'.repeat(8),
    }
    const printed = redacted(load({ defaults: demo, environment }))
    expect(JSON.stringify(printed)).not.toContain('hush')
    expect(printed).toMatchObject({
      database: { url: 'postgresql://user:[redacted]@db.example.com/orders' },
      systems: { 'erp-north': { baseUrl: erp.baseUrl, credentials: { password: '[redacted]' } } },
      access: { pageTokenSecret: '[redacted]' },
    })
    const tooShort = {
      ...environment,
      CROSSDOCK__ACCESS__PAGE_TOKEN_SECRET: 'hush',
      DATABASE_URL: 'mysql://hush',
    }
    expect(failure({ environment: tooShort })).not.toContain('hush')
  })

  test.each([
    ['missing variable', { CROSSDOCK__DATABASE__URL: 'env:MINE' }, 'variable MINE, which is not set'],
    ['missing file', { DATABASE_URL_FILE: 'none' }, 'its file cannot be read'],
    [
      'value and file',
      { DATABASE_URL: 'x', DATABASE_URL_FILE: 'y' },
      'by both DATABASE_URL and DATABASE_URL_FILE',
    ],
  ])('with a %s is a problem of its own', (_, environment, message) => {
    expect(failure({ environment })).toContain(message)
  })
})

describe('what is wrong is said with path, place, reason and example', () => {
  test.each<[string, Record<string, string>, string]>([
    [
      'a word for a number',
      { CROSSDOCK__HTTP__PORT: 'x' },
      'http.port (CROSSDOCK__HTTP__PORT): expected number, but is "x". Example: 7300',
    ],
    [
      'a number out of range',
      { CROSSDOCK__HTTP__PORT: '70000' },
      'expected number to be <=65535, but is 70000',
    ],
    ['a transposed name', { CROSSDOCK__HTTP__PROT: '1' }, 'did you mean CROSSDOCK__HTTP__PORT?'],
    ['an unknown section', { CROSSDOCK__DATABSE__URL: 'x' }, 'did you mean CROSSDOCK__DATABASE?'],
    [
      'no such time zone',
      { CROSSDOCK__COMPANIES: '[{timeZone: Mars/Base}]' },
      'companies[0].timeZone (CROSSDOCK__COMPANIES): an IANA time zone',
    ],
    [
      'a missing part',
      { CROSSDOCK__COMPANIES: '[{code: A}]' },
      'companies[0].currency (CROSSDOCK__COMPANIES): is missing. Example: "USD"',
    ],
    [
      'a name of a system that is none',
      { CROSSDOCK__SYSTEMS: '{"ERP North": {connector: a, baseUrl: "http://a"}}' },
      'must be a name such as erp-north',
    ],
    [
      'credentials in an address',
      { CROSSDOCK__SYSTEMS__A: '{connector: a, baseUrl: "http://u:p@a"}' },
      'must not carry user and password',
    ],
  ])('%s', (_, environment, message) => {
    expect(failure({ environment })).toContain(message)
  })

  test('a line of the file', async () => {
    const name = await file('http:\n  port: 1\n\n  hsot: a\nworker:\n  batchMax: none\n')
    const said = failure({ file: name })
    expect(said).toContain(`http.hsot (${name}:4): is no setting; did you mean http.host?`)
    expect(said).toContain(`worker.batchMax (${name}:6): expected number, but is "none". Example: 100`)
  })

  test.each([
    ['http: [', 'cannot be read'],
    ['- a\n- b', 'It holds no settings'],
    ['http: { port: 1 }\nhttp: { port: 2 }', 'Map keys must be unique'],
  ])('a file that is none: %j', async (text, message) => {
    const name = await file(text)
    expect(() => load({ file: name })).toThrow(message)
  })

  test('a flag that is none', () => {
    expect(failure({ flags: { 'http.hots': 'x' } })).toContain(
      'http.hots (flag http.hots): is no setting; did you mean http.host?',
    )
  })
})

describe('problems', () => {
  test('is found where a warehouse would count what leaves by its ship confirms and by its movements', () => {
    const said = failure({
      defaults: {
        systems: { wms: { ...erp, stock: { moves: { ship: 'available > shipped' } } } },
        locations: [{ code: 'CHI-1', type: 'warehouse', wms: 'wms', timeZone: 'America/Chicago' }],
      },
    })
    expect(said).toContain(
      'systems.wms.stock.moves.ship: must be "none": what leaves CHI-1 is counted by the ship confirms of wms already',
    )
  })

  test('are found in rules of freshness for what there is not, and in those that contradict themselves', () => {
    const rule = { source: 'wms', minutes: 30, rule: 'zero' } as const
    const said = failure({
      defaults: {
        systems: { wms: erp },
        freshness: [
          rule,
          rule,
          { ...rule, source: 'wsm' },
          { ...rule, flow: 'readings', locations: ['CHI'] },
        ],
      },
    })
    expect(said).toContain('freshness[1].flow: must be said once for a source')
    expect(said).toContain('freshness[2].source: must be one of the systems')
    expect(said).toContain('freshness[3].locations[0]: must be one of the locations')
    const capless = failure({ defaults: { systems: { wms: erp }, freshness: [{ ...rule, rule: 'cap' }] } })
    expect(capless).toContain('freshness[0].most: is missing')
    const partners = failure({
      defaults: {
        edi: { enabled: true },
        locations: [{ code: 'CHI', type: '3pl', wms: 'threepl', timeZone: 'UTC' }],
        feeds: { counts: { locations: ['CHI'] } },
        freshness: [
          { ...rule, source: 'threepl' },
          { ...rule, source: 'other' },
          { ...rule, source: 'counts' },
          { ...rule, source: 'counts', flow: 'readings' },
        ],
      },
    })
    expect(partners).toContain('freshness[1].source: must be one of the systems or feeds, or run a location')
    expect(partners).toContain('freshness[3].flow: must be "messages": nothing is read of counts')
    expect(partners).not.toMatch(/freshness\[[02]\]/)
  })

  test('are found in names that refer to nothing or are given twice', () => {
    const said = failure({
      defaults: {
        systems: { 'erp-north': erp },
        companies: [
          { ...north, erp: 'erp-nort' },
          { ...north, tax: 'avalara' },
        ],
        locations: [{ code: 'CHI', company: 'SOUTH', type: 'warehouse', wms: 'wms-x', timeZone: 'UTC' }],
      },
    })
    expect(said).toContain(
      'companies[0].erp: names "erp-nort", which is not configured; did you mean "erp-north"?',
    )
    expect(said).toContain('companies[1].tax: names "avalara", which is not configured; known: erp-north')
    expect(said).toContain('companies[1].code: "NORTH" is given twice')
    expect(said).toContain(
      'locations[0].company: names "SOUTH", which is not configured; did you mean "NORTH"?',
    )
    expect(said).toContain('locations[0].wms: names "wms-x"')
  })

  test('are told all at once, whatever kind they are', () => {
    const environment = {
      CROSSDOCK__HTTP__PORT: 'x',
      CROSSDOCK__NONSENSE: '1',
      CROSSDOCK__DATABASE__URL: 'env:MINE',
      CROSSDOCK__COMPANIES: '[{code: A, erp: none}]',
    }
    const said = failure({ environment, flags: { nothing: 1 } })
    for (const part of [
      'http.port',
      'nonsense',
      'database.url',
      'companies[0].erp',
      'companies[0].name',
      'nothing',
    ]) {
      expect(said).toContain(part)
    }
    expect(said).toMatch(/9 settings are wrong/)
  })
})

describe('what is written about it', () => {
  test('every setting of the house has a meaning, an environment variable that works, and a default or none', () => {
    const silent = describeConfig().filter(
      ({ path, meaning }) => meaning === '' && !path.includes('.policy.'),
    )
    expect(silent).toEqual([])
    const settable = describeConfig().filter(({ path, default: value }) => value && !/[<[]|jwt/.test(path))
    const environment = Object.fromEntries(
      settable.map(({ variable, default: value = '' }) => [variable, value.replaceAll('"', '')]),
    )
    expect(settable.length).toBeGreaterThan(20)
    expect(load({ environment })).toEqual(load())
  })

  test('docs/configuration.md says what the schema says; update it with "vitest run -u"', async () => {
    await expect(renderConfigurationDocs()).toMatchFileSnapshot('../../docs/configuration.md')
  })

  test('the schema for editors takes what the program takes and refuses what it refuses', () => {
    const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(configJsonSchema())
    expect(validate(demo)).toBe(true)
    expect(validate({ http: { port: 7300 } })).toBe(true)
    expect(validate({ http: { prot: 7300 } })).toBe(false)
    expect(validate({ http: { port: '7300' } })).toBe(false)
    expect(validate({ companies: [{ code: 'NORTH' }] })).toBe(false)
  })
})
