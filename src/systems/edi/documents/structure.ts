/** The shape of a transaction set, and the matching of segments to it: loops found, misplaced and missing ones named. */
import type { Segment } from '../x12-segments.ts'
import { KNOWN_SEGMENTS } from './segments.ts'

export type StructureNode = {
  readonly id: string
  readonly required: boolean
  readonly max: number
  /** A loop, named by its first segment; that segment is not repeated here. */
  readonly inside?: readonly StructureNode[]
}

/** Code of X12 data element 720, as AK304 reports it. */
export type SegmentErrorCode = '1' | '2' | '3' | '4' | '5' | '6' | '7' | '8'

export type StructureError = {
  readonly segmentId: string
  /** From 1 at ST; for a missing segment where it was missed. */
  readonly position: number
  readonly loop?: string
  readonly code: SegmentErrorCode
}

/** One occurrence of a loop: its own segments, its trigger first, and the loops inside. The root is the set itself. */
export type Loop = {
  readonly id: string
  readonly segments: Segment[]
  readonly loops: Loop[]
}

const MANY = Number.POSITIVE_INFINITY

/**
 * Reads a structure written as the standard's tables are: one line a segment ("BEG M 1", "REF O >1"), a loop
 * opened by "N1 O 200 (" and closed by ")".
 */
export function structure(text: string): readonly StructureNode[] {
  const lines = text
    .trim()
    .split('\n')
    .flatMap((line) => line.trim().split(/\s*;\s*/))
    .filter((line) => line !== '')
  return readNodes(lines)
}

function readNodes(lines: string[]): StructureNode[] {
  const nodes: StructureNode[] = []
  for (let line = lines.shift(); line !== undefined && line !== ')'; line = lines.shift()) {
    const [id = '', use, max = '1', opens] = line.split(/\s+/)
    const node = { id, required: use === 'M', max: max === '>1' ? MANY : Number(max) }
    nodes.push(opens === '(' ? { ...node, inside: readNodes(lines) } : node)
  }
  return nodes
}

type Level = {
  readonly nodes: readonly StructureNode[]
  readonly counts: number[]
  readonly loop: Loop
  /** Index of the node that matched last; matching goes on from here. */
  at: number
}

const idsOf = (nodes: readonly StructureNode[]): string[] =>
  nodes.flatMap((node) => [node.id, ...(node.inside ? idsOf(node.inside) : [])])

/** Matches the segments of a set (ST and SE included) to its structure. */
export function matchStructure(
  nodes: readonly StructureNode[],
  segments: readonly Segment[],
): { root: Loop; errors: StructureError[] } {
  const root: Loop = { id: '', segments: [], loops: [] }
  const errors: StructureError[] = []
  const levels: Level[] = [openLevel(nodes, root)]
  const ids = new Set(idsOf(nodes))
  for (const [index, segment] of segments.entries()) {
    const position = index + 1
    if (place(levels, segment, { position, errors })) continue
    const code = ids.has(segment.id) ? '2' : KNOWN_SEGMENTS.has(segment.id) ? '6' : '1'
    errors.push({ segmentId: segment.id, position, ...within(levels.at(-1)?.loop), code })
  }
  while (levels.length > 0) closeLevel(levels, { position: segments.length, errors })
  return { root, errors }
}

function openLevel(nodes: readonly StructureNode[], loop: Loop): Level {
  return { nodes, counts: nodes.map(() => 0), loop, at: 0 }
}

type Matching = { readonly position: number; readonly errors: StructureError[] }

/** Closes the innermost loop and names the mandatory segments it did not have. */
function closeLevel(levels: Level[], matching: Matching): void {
  const level = levels.pop() as Level
  missing(level, level.nodes.length, matching)
}

/** Names the mandatory segments between the one that matched last and the one at `to`. */
function missing(level: Level, to: number, { position, errors }: Matching): void {
  for (let index = level.at; index < to; index++) {
    const node = level.nodes[index] as StructureNode
    if (!node.required || (level.counts[index] as number) > 0) continue
    errors.push({ segmentId: node.id, position, ...within(level.loop), code: '3' })
    level.counts[index] = 1
  }
}

const within = (loop: Loop | undefined): { loop?: string } => (loop?.id ? { loop: loop.id } : {})

/** Forward in the innermost loop or one around it; else, out of sequence, backward in the innermost that knows it. */
function place(levels: Level[], segment: Segment, matching: Matching): boolean {
  const forward = find(levels, (node, at, level) => at >= level.at && node.id === segment.id)
  const found = forward ?? find(levels, (node) => node.id === segment.id)
  if (!found) return false
  while (levels.length - 1 > found.depth) closeLevel(levels, matching)
  const level = levels[found.depth] as Level
  if (forward) {
    missing(level, found.index, matching)
    level.at = found.index
  } else {
    matching.errors.push({
      segmentId: segment.id,
      position: matching.position,
      ...within(level.loop),
      code: '7',
    })
  }
  enter(levels, found.index, segment, matching)
  return true
}

type Fits = (node: StructureNode, at: number, level: Level) => boolean

function find(levels: readonly Level[], fits: Fits): { depth: number; index: number } | undefined {
  for (let depth = levels.length - 1; depth >= 0; depth--) {
    const level = levels[depth] as Level
    const index = level.nodes.findIndex((node, at) => fits(node, at, level))
    if (index !== -1) return { depth, index }
  }
  return undefined
}

function enter(levels: Level[], index: number, segment: Segment, { position, errors }: Matching): void {
  const level = levels.at(-1) as Level
  const node = level.nodes[index] as StructureNode
  const count = ((level.counts[index] as number) += 1)
  if (count === node.max + 1) {
    const loop = node.inside ? node.id : level.loop.id
    errors.push({ segmentId: segment.id, position, ...(loop ? { loop } : {}), code: node.inside ? '4' : '5' })
  }
  if (!node.inside) {
    level.loop.segments.push(segment)
    return
  }
  const loop: Loop = { id: node.id, segments: [segment], loops: [] }
  level.loop.loops.push(loop)
  levels.push(openLevel(node.inside, loop))
}

export const element = (segment: Segment | undefined, number: number): string =>
  segment?.elements[number] ?? ''
export const first = (loop: Loop, id: string): Segment | undefined =>
  loop.segments.find((segment) => segment.id === id)
export const all = (loop: Loop, id: string): Segment[] => loop.segments.filter((segment) => segment.id === id)
export const loopsOf = (loop: Loop, id: string): Loop[] => loop.loops.filter((inner) => inner.id === id)
