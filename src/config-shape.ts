/** The shape of the configuration as plain data: finds the setting a path means and visits the values under it. */
import { z } from 'zod'
import { Config, type SettingTraits } from './config-schema.ts'

export type Path = readonly (string | number)[]

/** One node of the JSON Schema, as far as settings use it. */
export type Shape = SettingTraits & {
  readonly type?: string
  readonly description?: string
  readonly default?: unknown
  readonly examples?: readonly unknown[]
  readonly enum?: readonly unknown[]
  readonly pattern?: string
  readonly format?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  readonly properties?: Readonly<Record<string, Shape>>
  readonly required?: readonly string[]
  readonly additionalProperties?: Shape | boolean
  readonly items?: Shape
  readonly anyOf?: readonly Shape[]
}

export const SHAPE = z.toJSONSchema(Config, { io: 'input' }) as Shape

/** The shape of what a record holds under each name; undefined for objects with settings of their own. */
export function recordOf(shape: Shape): Shape | undefined {
  return typeof shape.additionalProperties === 'object' ? shape.additionalProperties : undefined
}

function childOf(shape: Shape, step: string | number): Shape | undefined {
  if (typeof step === 'number') return shape.items
  const { properties } = shape
  return properties && Object.hasOwn(properties, step) ? properties[step] : recordOf(shape)
}

/** Undefined where there is no such setting. */
export function shapeAt(path: Path, from: Shape = SHAPE): Shape | undefined {
  return path.reduce<Shape | undefined>((shape, step) => shape && childOf(shape, step), from)
}

export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

type Visit = (text: string, shape: Shape, path: Path) => unknown

/** The same values with each text, wherever it is, replaced by what `visit` answers. */
export function mapTexts(value: unknown, visit: Visit, shape: Shape = SHAPE, path: Path = []): unknown {
  const inside = (child: unknown, step: string | number) =>
    mapTexts(child, visit, childOf(shape, step) ?? {}, [...path, step])
  if (typeof value === 'string') return visit(value, shape, path)
  if (Array.isArray(value)) return value.map(inside)
  if (!isMap(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, child]) => [name, inside(child, name)]))
}

/** `systems.erp-north.policy`, `companies[0].code`. */
export function formatPath(path: Path): string {
  return path.map((step, i) => (typeof step === 'number' ? `[${step}]` : `${i ? '.' : ''}${step}`)).join('')
}

/** `poolSize` is `POOL_SIZE` in the environment. */
export function constantCase(name: string): string {
  return name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll('-', '_')
    .toUpperCase()
}
