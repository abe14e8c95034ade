import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { catalogue, refusals } from '#platform/http-catalogue.ts'
import { html } from '#platform/http-html.ts'
import { openapi } from '#platform/http-openapi.ts'
import type { Route } from '#platform/http.ts'
import { crateRoutes, house, packCrate, readCrate, testCatalogue, testInfo } from './http-house.ts'

const document = openapi(crateRoutes, testInfo, testCatalogue)

test('the document names every door with its scope, limits, parameters, answers and refusals', () => {
  const operation = document.paths['/process/crates/v1/crates']!['post']!
  expect(operation).toMatchObject({
    operationId: 'crates.pack',
    security: [{ bearer: ['crates:write'] }, { apiKey: ['crates:write'] }],
    parameters: [{ name: 'Idempotency-Key', in: 'header', required: true }],
    requestBody: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Crate' } } } },
    'x-body-limit-bytes': 2_000,
    'x-rate-class': 'write',
  })
  expect(Object.keys(operation.responses)).toEqual([
    '201',
    '400',
    '401',
    '403',
    '409',
    '413',
    '415',
    '422',
    '429',
    '500',
    '503',
  ])
  expect(operation['x-refusals']).toContain('crates.empty')
  expect(document.paths['/process/crates/v1/crates/{id}:seal']!['post']!.parameters).toMatchObject([
    { name: 'id', in: 'path', required: true },
    { name: 'If-Match', in: 'header' },
  ])
})

test('pages for people are not part of the contract', () => {
  expect(Object.keys(document.paths)).toHaveLength(3)
})

test('every reference in the document leads somewhere', () => {
  const text = JSON.stringify(document)
  const references = [...text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name!)
  expect(references).toContain('CrateView')
  for (const name of references) expect(document.components.schemas).toHaveProperty(name)
  expect(text).not.toContain('$defs')
})

test('the published schema accepts a value with fields that a later version adds', () => {
  const ajv = new Ajv2020({ strict: false, validateFormats: false })
  const validate = ajv.compile(document.components.schemas['Crate']!)
  expect(validate({ label: 'A', count: 1, colour: 'red' })).toBe(true)
  expect(validate({ label: 'A' })).toBe(false)
})

test('the same routes give the same document', () => {
  expect(JSON.stringify(openapi(crateRoutes, testInfo, testCatalogue))).toBe(JSON.stringify(document))
})

test('two schemas under one name, or a recursive one without a name, fail the boot', () => {
  const OtherView = z.object({ x: z.string() }).meta({ id: 'CrateView' })
  const twin: Route = { ...readCrate, answers: { 200: { description: '', body: OtherView } } }
  expect(() => openapi([twin, packCrate], testInfo, testCatalogue)).toThrow('named CrateView')
  const Recursive = z.object({
    get inner() {
      return Recursive.optional()
    },
  })
  const recursive: Route = { ...readCrate, answers: { 200: { description: '', body: Recursive } } }
  expect(() => openapi([recursive], testInfo, testCatalogue)).toThrow('recursive')
})

test('the reference page is served with every operation, escaped, and loads nothing from elsewhere', async () => {
  const hostile: Route = { ...readCrate, summary: '<script>alert(1)</script>' }
  const { server } = house([hostile, packCrate])
  const answer = await server.call({ method: 'GET', url: '/docs/api' })
  expect(answer.headers['content-type']).toBe('text/html; charset=utf-8')
  expect(answer.headers['content-security-policy']).toContain("default-src 'self'")
  expect(answer.body).toContain('Packs a crate')
  expect(answer.body).toContain('&lt;script&gt;alert(1)&lt;/script&gt;')
  expect(answer.body).not.toMatch(/<script|style=|onclick|https?:\/\//)
  const links = [...answer.body.matchAll(/(?:href|src)="(\/[^"#]*)"/g)].map(([, link]) => link!)
  expect(links).toContain('/docs/api.css')
  for (const url of new Set(links))
    expect([url, (await server.call({ method: 'GET', url })).status]).toEqual([url, 200])
  const anchors = [...answer.body.matchAll(/href="#([^"]+)"/g)].map(([, anchor]) => anchor!)
  for (const anchor of anchors) expect(answer.body).toContain(`id="${anchor}"`)
})

test('the contract that is served is the one that is generated', async () => {
  const { server } = house(crateRoutes)
  const answer = await server.call({ method: 'GET', url: '/openapi.json' })
  expect(answer.headers['content-type']).toBe('application/json; charset=utf-8')
  expect(JSON.parse(answer.body)).toEqual(JSON.parse(JSON.stringify(document)))
})

test('every problem type leads to a page with title, cause and fix', async () => {
  const { server } = house(crateRoutes)
  for (const [code, meaning] of testCatalogue) {
    const { status, body } = await server.call({ method: 'GET', url: `/problems/${code}` })
    expect(status).toBe(200)
    for (const text of [meaning.title, meaning.cause, meaning.fix]) expect(body).toContain(html`${text}`.text)
  }
  expect((await server.call({ method: 'GET', url: '/problems/no.such' })).status).toBe(404)
})

test('a code that is malformed, unexplained or declared twice fails the boot', () => {
  const meaning = { status: 422, title: 'T', cause: 'C', fix: 'F' } as const
  expect(() => catalogue(refusals({ 'a.b': meaning }), refusals({ 'a.b': meaning }))).toThrow('twice')
  expect(() => catalogue(refusals({ AB: meaning }))).toThrow('dotted')
  expect(() => catalogue(refusals({ 'a.b': { ...meaning, fix: '' } }))).toThrow('lacks')
})
