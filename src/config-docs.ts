/** The configuration for people: the table of settings, the schema for editors, and values without their secrets. */
import type { Config } from './config-schema.ts'
import { exampleOf } from './config-problems.ts'
import { constantCase, mapTexts, recordOf, type Shape, SHAPE } from './config-shape.ts'

export type Setting = {
  /** `systems.<name>.baseUrl`, `companies[].code`. */
  readonly path: string
  readonly variable: string
  readonly type: string
  readonly meaning: string
  readonly required: boolean
  readonly secret: boolean
  /** As JSON. */
  readonly default: string | undefined
  readonly example: string | undefined
}

const REDACTED = '[redacted]'

/** Every setting, in the order of the schema. */
export function describeConfig(): Setting[] {
  return settingsOf(SHAPE, { path: '', variable: 'CROSSDOCK', required: false })
}

type At = { readonly path: string; readonly variable: string; readonly required: boolean }

function settingsOf(shape: Shape, at: At): Setting[] {
  const record = recordOf(shape)
  const under = (child: Shape, name: string, variable: string, required: boolean) =>
    settingsOf(child, { path: `${at.path}${name}`, variable: `${at.variable}__${variable}`, required })
  if (shape.properties) {
    const dot = at.path ? '.' : ''
    return Object.entries(shape.properties).flatMap(([name, child]) =>
      under(child, `${dot}${name}`, constantCase(name), shape.required?.includes(name) ?? false),
    )
  }
  if (shape.items?.properties) return under(shape.items, '[]', '0', false)
  if (record && Object.keys(record).length > 0) return under(record, '.<name>', '<NAME>', false)
  return [settingOf(shape, at)]
}

function settingOf(shape: Shape, { path, variable, required }: At): Setting {
  return {
    path,
    variable,
    type: typeOf(shape),
    meaning: shape.description ?? '',
    required,
    secret: shape.secret === true,
    default: shape.default === undefined ? undefined : JSON.stringify(shape.default),
    example: exampleOf(shape),
  }
}

function typeOf(shape: Shape): string {
  if (shape.enum) return shape.enum.map((value) => JSON.stringify(value)).join(', ')
  if (shape.items) return `list of ${shape.items.anyOf ? 'maps' : typeOf(shape.items)}`
  if (shape.type === 'object') return 'map'
  const least =
    shape.minimum ?? (shape.exclusiveMinimum === undefined ? undefined : `>${shape.exclusiveMinimum}`)
  const range = least === undefined || shape.maximum === undefined ? '' : ` ${least} to ${shape.maximum}`
  return `${shape.secret ? 'secret' : shape.path ? 'path' : (shape.type ?? 'any')}${range}`
}

/** JSON Schema for editors; name it in the file's first line: `# yaml-language-server: $schema=…`. */
export function configJsonSchema(): object {
  return { ...SHAPE, title: 'Crossdock configuration' }
}

/** The same configuration with every secret made unreadable; of an address only its password. */
export function redacted(config: Config): unknown {
  return mapTexts(config, (text, { secret }) => (secret ? redactSecret(text) : text))
}

function redactSecret(text: string): string {
  if (!URL.canParse(text)) return REDACTED
  const { protocol, username, host, pathname } = new URL(text)
  if (!host) return REDACTED
  return `${protocol}//${username ? `${username}:${REDACTED}@` : ''}${host}${pathname}`
}

const INTRODUCTION = `# Configuration

Crossdock runs without any. What is set is taken from, each over the one before:

1. the defaults below;
2. a file: \`--config FILE\`, else \`CROSSDOCK_CONFIG\`, else \`crossdock.yaml\` in the folder it is started in, if there;
3. the environment: the variable named beside each setting, and \`DATABASE_URL\`. Lists and maps are written as YAML or
   JSON. An empty variable counts as not set;
4. flags of the command line.

A setting that does not exist, or has a value it cannot have, stops the start; all of them are reported at once.
\`crossdock config print\` shows what is in force, without secrets.

A **secret** may be written as \`env:NAME\` or \`file:PATH\`; its variable may also end in \`_FILE\` and name a file that
holds it. Relative paths start from the folder the program is started in.
`

/** The text of docs/configuration.md. */
export function renderConfigurationDocs(): string {
  const settings = describeConfig()
  const sections = [...new Set(settings.map(({ path }) => sectionOf(path)))]
  const tables = sections.map((section) => {
    const rows = settings.filter(({ path }) => sectionOf(path) === section).map(renderRow)
    const about = SHAPE.properties?.[section]?.description
    const head = ['| Setting and variable | Value | Default | Meaning |', '|---|---|---|---|']
    return [`## ${section}`, '', ...(about ? [`${about}.`, ''] : []), ...head, ...rows, ''].join('\n')
  })
  return `${INTRODUCTION}\n${tables.join('\n')}`
}

function sectionOf(path: string): string {
  return path.split(/[.[]/)[0] ?? path
}

function renderRow(setting: Setting): string {
  const value = setting.required
    ? '*required*'
    : setting.default === undefined
      ? '–'
      : `\`${setting.default}\``
  const example =
    setting.example && setting.example !== setting.default ? `. Example: \`${setting.example}\`` : ''
  const names = `\`${setting.path}\`<br>\`${setting.variable}\``
  return `| ${names} | ${setting.type} | ${value} | ${setting.meaning}${example} |`.replaceAll('. . ', '. ')
}
