/** The pages of the reference as HTML, made from the OpenAPI document and the catalogue alone. */
import type { Catalogue, Meaning } from './http-catalogue.ts'
import { html } from './http-html.ts'
import type { Html } from './http-html.ts'
import type { OpenApi, Operation, Parameter, Response } from './http-openapi.ts'
import type { JsonSchema } from './http-schema.ts'

type Place = { readonly method: string; readonly path: string; readonly operation: Operation }

export function referencePage(document: OpenApi): Html {
  const places = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]): Place => ({ method, path, operation })),
  )
  const groups = [...Map.groupBy(places, ({ operation }) => operation.tags[0] ?? 'other')]
  return html`<a class="skip" href="#content">Skip to content</a>
    <nav aria-label="Operations">
      <p class="brand">${document.info.title} <small>${document.info.version}</small></p>
      <ul>
        ${groups.map(
          ([tag, of]) =>
            html`<li>
              <span class="group">${tag}</span>
              <ul>
                ${of.map(linkTo)}
              </ul>
            </li>`,
        )}
      </ul>
      <ul>
        <li><a href="#schemas">Schemas</a></li>
        <li><a href="/problems">Problems</a></li>
        <li><a href="/openapi.json">OpenAPI 3.1</a></li>
      </ul>
    </nav>
    <main id="content">
      <h1>${document.info.title} API</h1>
      <p class="lead">${document.info.description}</p>
      ${groups.map(
        ([tag, of]) =>
          html`<section aria-label="${tag}">
            <h2 id="${tag}">${tag}</h2>
            ${of.map(operationOf)}
          </section>`,
      )}
      <section aria-label="Schemas">
        <h2 id="schemas">Schemas</h2>
        ${Object.entries(document.components.schemas).map(namedSchema)}
      </section>
    </main>`
}

const linkTo = ({ operation }: Place) =>
  html`<li><a href="#${operation.operationId}">${operation.summary}</a></li>`

function operationOf({ method, path, operation }: Place): Html {
  const scopes = operation.security.flatMap((one) => Object.values(one).flat())
  const body = Object.entries(operation.requestBody?.content ?? {})
  return html`<article id="${operation.operationId}">
    <h3>${operation.summary}</h3>
    <p class="place"><span class="method ${method}">${method.toUpperCase()}</span> <code>${path}</code></p>
    ${operation.description !== undefined && html`<p>${operation.description}</p>`}
    <p class="facts">
      Scope <code>${scopes[0] ?? 'public'}</code> · rate class <code>${operation['x-rate-class']}</code> ·
      operation <code>${operation.operationId}</code>
    </p>
    ${operation.parameters && parametersOf(operation.parameters)}
    ${body.map(
      ([type, media]) =>
        html`<h4>Body <small>${type}, at most ${operation['x-body-limit-bytes']} bytes</small></h4>
          ${media.schema && schemaOf(media.schema)}${exampleOf(media.example, 'Example request')}`,
    )}
    <h4>Answers</h4>
    <dl class="answers">
      ${Object.entries(operation.responses).map(([status, response]) => answerOf(status, response))}
    </dl>
  </article>`
}

function parametersOf(parameters: readonly Parameter[]): Html {
  return html`<h4>Parameters</h4>
    <table>
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">In</th>
          <th scope="col">Type</th>
          <th scope="col">Meaning</th>
        </tr>
      </thead>
      <tbody>
        ${parameters.map(
          ({ name, in: place, required, schema, description }) =>
            html`<tr>
              <th scope="row">
                <code>${name}</code>${required && html` <span class="required">required</span>`}
              </th>
              <td>${place}</td>
              <td>${typeOf(schema)}</td>
              <td>${description}${defaultOf(schema)}</td>
            </tr>`,
        )}
      </tbody>
    </table>`
}

function answerOf(status: string, response: Response): Html {
  const [type, media] = Object.entries(response.content ?? {})[0] ?? []
  const isProblem = type === 'application/problem+json'
  const codes = isProblem ? response.description.split(', ') : []
  return html`<div>
    <dt class="status s${status[0]}">${status}</dt>
    <dd>
      ${
        isProblem
          ? codes.map(
              (code, index) => html`${index > 0 && ', '}<a href="/problems/${code}"><code>${code}</code></a>`,
            )
          : html`${response.description}${type !== undefined && html` <small>${type}</small>`}`
      }${!isProblem && media?.schema && schemaOf(media.schema)}${!isProblem && exampleOf(media?.example, 'Example answer')}
    </dd>
  </div>`
}

const exampleOf = (example: unknown, title: string) =>
  example !== undefined &&
  html`<details>
    <summary>${title}</summary>
    <pre tabindex="0"><code>${JSON.stringify(example, null, 2)}</code></pre>
  </details>`

const namedSchema = ([name, schema]: [string, JsonSchema]) =>
  html`<article id="schema-${name}">
    <h3>${name}</h3>
    ${typeof schema['description'] === 'string' && html`<p>${schema['description']}</p>`}${schemaOf(schema)}
  </article>`

/** Members of an object as a table, everything else as a type. */
function schemaOf(schema: JsonSchema): Html {
  const properties = schema['properties'] as Record<string, JsonSchema> | undefined
  if (!properties) return html`<p class="type">${typeOf(schema)}</p>`
  const required = (schema['required'] ?? []) as readonly string[]
  return html`<table>
    <thead>
      <tr>
        <th scope="col">Member</th>
        <th scope="col">Type</th>
        <th scope="col">Meaning</th>
      </tr>
    </thead>
    <tbody>
      ${Object.entries(properties).map(
        ([name, member]) =>
          html`<tr>
            <th scope="row">
              <code>${name}</code>${required.includes(name) && html` <span class="required">required</span>`}
            </th>
            <td>${typeOf(member)}</td>
            <td>
              ${typeof member['description'] === 'string' && member['description']}${defaultOf(member)}${membersOf(member)}
            </td>
          </tr>`,
      )}
    </tbody>
  </table>`
}

/** Objects inside, one level at a time, folded. */
function membersOf(schema: JsonSchema): Html | false {
  const inner = schema['type'] === 'array' ? (schema['items'] as JsonSchema | undefined) : schema
  return (
    inner?.['properties'] !== undefined &&
    html`<details>
      <summary>Members</summary>
      ${schemaOf(inner)}
    </details>`
  )
}

const defaultOf = (schema: JsonSchema) =>
  schema['default'] !== undefined && html` <small>Default ${JSON.stringify(schema['default'])}.</small>`

function typeOf(schema: JsonSchema): Html {
  const { $ref, type, items, format, enum: values, const: only } = schema
  if (typeof $ref === 'string') {
    const name = $ref.split('/').at(-1)!
    return html`<a href="#schema-${name}">${name}</a>`
  }
  if (Array.isArray(values))
    return html`${values.map((one, index) => html`${index > 0 && ' | '}<code>${JSON.stringify(one)}</code>`)}`
  if (only !== undefined) return html`<code>${JSON.stringify(only)}</code>`
  const union = (schema['oneOf'] ?? schema['anyOf']) as readonly JsonSchema[] | undefined
  if (union) return html`${union.map((one, index) => html`${index > 0 && ' or '}${typeOf(one)}`)}`
  if (type === 'array') return html`list of ${items ? typeOf(items as JsonSchema) : 'anything'}`
  const name = Array.isArray(type) ? type.join(' or ') : typeof type === 'string' ? type : 'anything'
  return html`${name}${typeof format === 'string' && html` <small>${format}</small>`}${limitsOf(schema)}`
}

const LIMITS: readonly [keyword: string, words: string][] = [
  ['minLength', 'length ≥ {}'],
  ['maxLength', 'length ≤ {}'],
  ['minimum', '≥ {}'],
  ['maximum', '≤ {}'],
  ['minItems', 'at least {}'],
  ['maxItems', 'at most {}'],
]

function limitsOf(schema: JsonSchema): Html | false {
  const limits = LIMITS.filter(([keyword]) => {
    const limit = schema[keyword]
    return typeof limit === 'number' && Math.abs(limit) < Number.MAX_SAFE_INTEGER
  })
  const words = limits.map(([keyword, text]) => text.replace('{}', String(schema[keyword])))
  return words.length > 0 && html` <small>${words.join(', ')}</small>`
}

export function problemPage(code: string, meaning: Meaning): Html {
  return html`<main id="content" class="narrow">
    <p><a href="/problems">All problems</a></p>
    <h1>${meaning.title}</h1>
    <p class="facts"><code>${code}</code> · HTTP ${meaning.status}</p>
    <h2>Cause</h2>
    <p>${meaning.cause}</p>
    <h2>Fix</h2>
    <p>${meaning.fix}</p>
  </main>`
}

export function problemsPage(catalogue: Catalogue): Html {
  const codes = [...catalogue].toSorted(([a], [b]) => (a < b ? -1 : 1))
  return html`<main id="content" class="narrow">
    <p><a href="/docs/api">API reference</a></p>
    <h1>Problems</h1>
    <table>
      <thead>
        <tr>
          <th scope="col">Code</th>
          <th scope="col">Status</th>
          <th scope="col">Title</th>
        </tr>
      </thead>
      <tbody>
        ${codes.map(
          ([code, { status, title }]) =>
            html`<tr>
              <th scope="row">
                <a href="/problems/${code}"><code>${code}</code></a>
              </th>
              <td>${status}</td>
              <td>${title}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </main>`
}
