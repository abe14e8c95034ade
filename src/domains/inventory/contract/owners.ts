/** Whose stock lies in a place: ours, or that of somebody for whom we keep it, such as a consignor. */
import { z } from 'zod'
import type { RefusalCode } from '#platform/faults.ts'

export const OWN = 'own'

/** Absent where it is ours. */
export type Owned = { readonly owner?: string | undefined }

export const ownerOf = ({ owner = OWN }: Owned): string => owner
export const isOwn = (of: Owned): boolean => ownerOf(of) === OWN

/** `own` in other letters would be stock of ours that nobody sells. */
const CODE = /^(?:own|(?![oO][wW][nN]$)[A-Za-z0-9._-]{1,20})$/
const SHAPE = '1 to 20 letters, digits, ".", "_" or "-"; our own stock is own'

export const isOwnerCode = (code: string): boolean => CODE.test(code)
export const badOwner = (code: string): string => `"${code}" is no code of an owner: ${SHAPE}`

export const Owner = z
  .string()
  .regex(CODE, `an owner is a code of ${SHAPE}`)
  .describe(`Whose stock it is: ${SHAPE}, which it is when absent`)
  .meta({ example: 'ACME' })

export const OwnerFilter = Owner.describe(
  'Only what is of one owner, own for ours; of all when absent',
).optional()

export const ownerRefusals = {
  'inventory.owner_invalid': {
    status: 422,
    title: 'An owner of stock is no code',
    cause:
      'Owners are known by a code of 1 to 20 letters, digits, ".", "_" or "-", and our own stock by own.',
    fix: "Send the owner's code, or leave the owner out for our own stock.",
  },
  'inventory.owner_contradicts': {
    status: 422,
    title: "Another owner's stock cannot be told so",
    cause: "Purchase orders are for our own stock alone; another owner's stock was told with one.",
    fix: 'Leave the purchase order out, or the owner where the stock is ours.',
  },
  'inventory.owner_has_less': {
    status: 422,
    title: 'The owner has less there than is handed over',
    cause:
      'What changes its owner is there, in the status and of the lot that are named, and is reserved by nobody.',
    fix: 'Read the positions of the item with its owners; count it first where the books are wrong.',
  },
} as const satisfies Record<string, RefusalCode>
