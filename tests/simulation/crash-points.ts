/** The crash points of the design by the faults that strike there: which action, of which kind of fault, each of them is. */
import type { FaultKind } from './fault-script.ts'

export const CRASH_POINTS = [
  'K1',
  'K2',
  'K3',
  'K4',
  'K5',
  'K6',
  'K7',
  'K8',
  'K9',
  'K10',
  'K11',
  'K12',
  'K13',
  'K14',
  'K15',
  'K16',
] as const
export type CrashPoint = (typeof CRASH_POINTS)[number]

/** Calls that are more than what their first words say: they take something back, or tell subscribers. */
const CALLS: readonly (readonly [point: CrashPoint, call: RegExp])[] = [
  ['K13', / \S*(?:cancel|SD_ORDER_REJECT)$/],
  ['K11', /^call POST subscriber-/],
  ['K12', /^(?:answer|lost|slow) POST subscriber-/],
]

/** A program dies before one of these actions, each named whole or by its first words. */
export const CRASHES: Readonly<Partial<Record<CrashPoint, readonly string[]>>> = {
  K1: ['door', 'inbox.file', 'edi.begin_file', 'files.look', 'files.size', 'files.read'],
  K2: ['database.commit'],
  K4: ['turn.versions', 'desk.lock', 'desk.steps', 'effects.of_documents'],
  K5: ['effects.intend'],
  K6: ['call POST', 'call PUT'],
  K7: ['reset', 'deadline'],
  K8: ['answer POST', 'answer PUT', 'lost', 'slow'],
  K9: ['effects.settle', 'effects.defer', 'effects.hold'],
  K11: ['notice'],
  K12: [
    'subscriptions.lock_turn',
    'subscriptions.log_attempts',
    'subscriptions.keep',
    'subscriptions.drop_delivered',
    'subscriptions.end_turn',
    'edi.mark_written',
    'edi.end_file',
    'files.move',
    'inventory.save_published',
    'audit.seal',
  ],
  K13: ['orders.set_erp_cancelled', 'orders.refuse_cancel', 'shipments.set_cancel_requested'],
  K14: ['timer'],
  K15: [
    'migrations.is_history',
    'migrations.read_history',
    'migrations.lock',
    'migrations.limits',
    'migrations.create_history',
    'migrations.record',
    'migrations.apply',
    'migrations.commit',
  ],
}

/** These leave behind what a crash there does: one side has done it, and the other does not know. */
const BY_THEMSELVES: Readonly<Partial<Record<FaultKind, CrashPoint>>> = {
  'client-answer-lost': 'K3',
  'webhook-answer-lost': 'K3',
  'request-lost': 'K7',
  'answer-lost': 'K8',
  'acknowledgement-lost': 'K10',
  stop: 'K16',
  'crash-stopping': 'K16',
}

/** `crash/p1/database.commit/0`: the kind, the program, the action and the how manieth of its kind it was. */
function pointOf(name: string): CrashPoint | undefined {
  const [kind, , ...rest] = name.split('/')
  if (kind !== 'crash') return BY_THEMSELVES[kind as FaultKind]
  const action = rest.slice(0, -1).join('/')
  const call = CALLS.find(([, pattern]) => pattern.test(action))
  if (call) return call[0]
  const isIt = (name: string): boolean => `${action} `.startsWith(`${name} `)
  return CRASH_POINTS.find((point) => CRASHES[point]?.some(isIt))
}

/** How often each was struck, by the names of the faults. */
export function crashPoints(struck: readonly string[]): Record<CrashPoint, number> {
  const counts = Object.fromEntries(CRASH_POINTS.map((point) => [point, 0])) as Record<CrashPoint, number>
  for (const name of struck) {
    const point = pointOf(name)
    if (point) counts[point]++
  }
  return counts
}
