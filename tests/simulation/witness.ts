/** What a simulated database writes down of its own messages: in which order their transactions ended. */

/**
 * Times tell when transactions began. A message and what it changed are seen in the order of the ends, so a deferred
 * trigger writes them down, while the transaction still holds the lock of its stream.
 */
export const WITNESS = `
  create schema witness;
  create table witness.message (
    turn bigint generated always as identity,
    transaction xid8 not null default pg_current_xact_id(),
    source text not null,
    message_id text not null,
    state text not null
  );
  create index on witness.message (source, message_id);
  create function witness.write_down() returns trigger language plpgsql as $$ begin
    insert into witness.message (source, message_id, state)
    select source, message_id, state from inbox.message
    where source = new.source and message_id = new.message_id;
    return null;
  end $$;
  create constraint trigger write_down after insert or update of state on inbox.message
    deferrable initially deferred for each row when (new.sequence is not null)
    execute function witness.write_down()`

/** Shipments that were booked before a message that stands before theirs in the stream had come. */
export const BOOKED_EARLY = `
  select distinct 'S-' || s.id || ' by ' || s.source || ', before ' || m.message_id || ' came' as found
  from shipments.shipment s join inbox.message c on c.source = s.source and c.type = 'shipment.confirmed'
    and c.body::jsonb ->> 'shipment_id' = s.source_key
  join witness.message booked on booked.source = c.source and booked.message_id = c.message_id
    and booked.state = 'applied'
  join inbox.message m on m.source = c.source and m.stream = c.stream and m.sequence < c.sequence
  where not exists (
    select from witness.message came where came.source = m.source and came.message_id = m.message_id
      and (came.turn < booked.turn or came.transaction = booked.transaction))`
