/** How the embedded server is set up: every setting that is not PostgreSQL's own default, and why. */

export type Setting = readonly [name: string, value: string, why: string]

/** Without these three a commit may vanish or a page may tear; `assertDurable` refuses to start without them. */
const DURABLE: readonly Setting[] = [
  ['fsync', 'on', 'a commit is on the disk before anyone is told of it'],
  ['full_page_writes', 'on', 'a page torn by a power cut is restored from the log'],
  ['synchronous_commit', 'on', 'the commit is acknowledged after its flush, not before'],
]

/** For clusters that are deleted after the run: nothing waits for the disk, and a crash loses everything. */
const THROW_AWAY: readonly Setting[] = [
  ['fsync', 'off', 'this cluster is thrown away: nothing in it has to survive'],
  ['full_page_writes', 'off', 'as above'],
  ['synchronous_commit', 'off', 'as above'],
]

/** Sized for a small machine (two cores, a few gigabytes) that runs the program and its database together. */
const EVERYWHERE: readonly Setting[] = [
  ['listen_addresses', "'127.0.0.1'", 'nobody outside this machine can reach the server'],
  ['unix_socket_permissions', '0700', 'and by socket only the account of the server, and root'],
  ['password_encryption', "'scram-sha-256'", 'other users of this machine still need the password'],
  ['max_connections', '100', 'the pools of a few processes, and room for a person with psql'],
  ['shared_buffers', '256MB', 'the hot tables fit; the rest is left to the cache of the operating system'],
  ['effective_cache_size', '2GB', 'what the planner may expect the operating system to cache'],
  ['work_mem', '8MB', 'sorts for screens stay in memory; hot statements use next to none'],
  ['maintenance_work_mem', '128MB', 'index builds and vacuum take one pass'],
  ['wal_buffers', '16MB', 'a full batch of commits fits between two flushes'],
  ['max_wal_size', '4GB', 'checkpoints by time, not by volume: each one makes full page images again'],
  ['min_wal_size', '512MB', 'log files are reused instead of made anew'],
  ['checkpoint_timeout', '15min', 'fewer full page images; a crash replays a quarter of an hour at most'],
  ['wal_compression', "'pglz'", 'full page images shrink, for a little CPU after each checkpoint'],
  ['random_page_cost', '1.1', 'solid-state disks: an index lookup costs about what a scan step costs'],
  ['effective_io_concurrency', '64', 'as above'],
  ['jit', 'off', 'compiling costs more than these short statements take'],
  ['max_parallel_workers_per_gather', '0', 'one report must not take both cores from the orders'],
  ['autovacuum_naptime', '10s', 'queue tables turn over completely within minutes'],
  ['autovacuum_vacuum_cost_limit', '1000', 'vacuum keeps up with the updates of a busy hour'],
  ['autovacuum_vacuum_scale_factor', '0.05', 'large tables are cleaned after 5 % of change instead of 20 %'],
  [
    'autovacuum_analyze_scale_factor',
    '2',
    'tables grow without changing their kind, and a look takes a core',
  ],
  ['max_locks_per_transaction', '256', 'a look over every monthly partition locks each of them'],
  ['timezone', "'UTC'", 'one time zone in the database; people see their own'],
  ['logging_collector', 'on', 'the log outlives the program that started the server'],
  ['log_filename', "'postgresql-%a.log'", 'a file for each day of the week'],
  ['log_truncate_on_rotation', 'on', 'last week is overwritten, so the log does not grow for ever'],
  ['log_rotation_size', '0', 'rotate by day only; a second rotation would truncate the day'],
  ['log_timezone', "'UTC'", 'times that can be compared with the log of the program'],
  ['log_lock_waits', 'on', 'a wait beyond a second names both sides'],
  ['log_min_duration_statement', '1s', 'slow statements are seen'],
  ['log_parameter_max_length', '0', 'values may be personal data and stay out of the log'],
  ['log_parameter_max_length_on_error', '0', 'as above'],
]

export type Place = {
  readonly port: number
  /** Where the server keeps its socket besides; undefined where none can be had. */
  readonly socketFolder: string | undefined
  /** False only for clusters that are deleted after the run. */
  readonly durable: boolean
}

/** The text of the settings file that the server includes; `ALTER SYSTEM` still overrides any line of it. */
export function renderSettings({ port, socketFolder, durable }: Place): string {
  const settings: Setting[] = [
    ['port', String(port), 'free on this machine when the server was started'],
    socketFolder === undefined
      ? ['unix_socket_directories', "''", 'the path of a socket here would be too long']
      : ['unix_socket_directories', quoted(socketFolder), 'a socket costs both sides less than TCP'],
    ...(durable ? DURABLE : THROW_AWAY),
    ...EVERYWHERE,
  ]
  const lines = settings.map(([name, value, why]) => `${`${name} = ${value}`.padEnd(44)} # ${why}`)
  return [
    '# Written by Crossdock at every start: change values with ALTER SYSTEM, not here.',
    ...lines,
    '',
  ].join('\n')
}

/** A list of folders in one text: each in double quotes, since a comma would end it. */
function quoted(folder: string): string {
  return `'"${folder.replaceAll('"', '""').replaceAll("'", "''")}"'`
}
