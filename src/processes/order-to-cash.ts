/** From an accepted order to its shipments and invoices. Warehouse requests and invoices have tables of their own. */
import { type Process, process } from '#platform/process.ts'
import { acknowledgeOrder } from './order-acknowledgement.ts'
import { cancelErpOrder, closeErpLines, postOrder } from './order-calls.ts'
import { orderFacts, type OrderFacts } from './order-facts.ts'
import * as is from './order-predicates.ts'
import { orderSteps } from './order-steps.ts'
import type { ProcessPorts } from './ports.ts'

export function orderToCash(
  ports: ProcessPorts,
  children: { fulfillment: Process; invoice: Process },
): Process {
  const steps = orderSteps(ports, children)
  return process<OrderFacts>('order-to-cash', {
    kind: 'order',
    rank: 1,
    facts: (tx, docs) => orderFacts(tx, docs, ports),
    steps: {
      expireHolds: { each: is.expiredHolds(() => ports.clock.now()), do: steps.expireHolds },
      refuseCancel: { when: is.tooLateToCancel, do: steps.refuseCancel },
      reclaim: { each: is.reclaimableRequests, do: steps.reclaim },
      reserve: {
        each: is.fillableLines,
        do: steps.fillBackorders,
        locksEarly: true,
        undo: { when: is.linesToCancel, do: steps.cancelLines },
      },
      noteWithheld: { each: is.linesToNote, do: steps.noteWithheld },
      postToErp: {
        when: is.readyForErp,
        call: postOrder(ports),
        undo: { when: is.erpOrderToCancel, call: cancelErpOrder(ports) },
      },
      release: {
        each: is.releasableLocations,
        do: steps.release,
        locksEarly: true,
        undo: { each: is.requestsToCancel, do: steps.takeBackRelease },
      },
      closeAtErp: { each: is.linesToCloseAtErp, call: closeErpLines(ports) },
      acknowledge: { each: is.turnsToAcknowledge(ports.wishes), call: acknowledgeOrder(ports) },
      invoice: { each: is.unbilledShipments, do: steps.invoice },
      close: { when: is.settled, do: steps.close },
    },
    undoing: is.beingTakenBack,
    wakeAt: is.nextExpiry,
    finished: (facts) => facts.order.closed,
  })
}
