/** The folder through which EDI partners speak: orders and suppliers at one door, warehouses at theirs. */
import type { ChannelInbound } from '#capabilities/channel-messages.ts'
import type { WarehouseMessage } from '#capabilities/wms.ts'
import type { Door } from '#platform/batch.ts'
import type { Database } from '#platform/database.ts'
import type { InboundMessage } from '#platform/inbound.ts'
import type { ChannelTold } from './processes/channel-words.ts'
import { parkMessage } from './processes/channel-trouble.ts'
import type { Told } from './processes/inbound.ts'
import type { Heard } from './processes/message-filing.ts'
import type { ProcessPorts } from './processes/ports.ts'
import type { EdiConnector } from './systems/edi/connector.ts'

type PartnerWires = {
  readonly channel: Door<ChannelTold, Heard>
  readonly warehouse: Door<Told, Heard>
  readonly database: Database
  readonly processPorts: ProcessPorts
}

export type PartnerDoor = {
  /** Watches the inbox folder from now on; the worker must be at work. */
  watch(): void
  ingest(path: string): ReturnType<EdiConnector['ingest']>
  check(path: string): ReturnType<EdiConnector['check']>
}

export function partnerDoor(edi: EdiConnector, wires: PartnerWires): PartnerDoor {
  const { channel, warehouse, database, processPorts } = wires
  const told = (partner: string, inbound: InboundMessage<WarehouseMessage>): Told => ({
    door: edi.warehouses.get(partner)!,
    inbound,
  })
  const partners = {
    hear: (inbound: ChannelInbound) => channel.add({ door: edi.door, inbound }, inbound.company),
    park: (inbound: ChannelInbound, error: unknown) =>
      database.transaction((tx) => parkMessage(tx, processPorts, { door: edi.door, inbound }, error)),
    hearWarehouse: (partner: string, inbound: InboundMessage<WarehouseMessage>) =>
      warehouse.add(told(partner, inbound), inbound.company),
    parkWarehouse: (partner: string, inbound: InboundMessage<WarehouseMessage>, error: unknown) =>
      database.transaction((tx) => parkMessage(tx, processPorts, told(partner, inbound), error)),
  }
  return {
    watch: () => edi.watch(partners),
    ingest: (path) => edi.ingest(path, partners),
    check: (path) => edi.check(path),
  }
}
