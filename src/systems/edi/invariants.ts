/** What holds of the documents that we owe our partners. */
import { type Invariant, invariant } from '#platform/invariants.ts'

export const ediInvariants: readonly Invariant[] = [
  invariant(
    'edi.documents_are_written',
    `select type || ' ' || control_number || ' to ' || partner from edi.outbound
     where written_at is null and created_at < now() - interval '15 minutes'`,
    'a document for a partner is in its folder within a quarter of an hour',
    'See whether the folder of the partner can be written to, and the log.',
  ),
]
