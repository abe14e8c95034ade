/** Pages for those who build against the API: the reference, and what each problem code means. */
import { z } from 'zod'
import { Refusal } from './faults.ts'
import { route } from './http.ts'
import type { Route } from './http.ts'
import type { Catalogue } from './http-catalogue.ts'
import { page } from './http-html.ts'
import type { OpenApi } from './http-openapi.ts'
import { problemPage, problemsPage, referencePage } from './http-reference-pages.ts'
import { STYLESHEET } from './http-reference-style.ts'

export const REFERENCE_STYLESHEET = '/docs/api.css'

const ProblemCode = z.object({ code: z.string().max(200) })

/** `/openapi.json`, `/docs/api`, `/problems` and `/problems/:code`; open to everyone who reaches the server. */
export function referenceRoutes(document: () => OpenApi, catalogue: Catalogue): Route[] {
  const common = {
    method: 'GET',
    scope: 'public',
    rateClass: 'page',
    bodyLimitBytes: 0,
    page: true,
  } as const
  /** Written when somebody first reads it: most processes are never asked. */
  const file = (path: string, title: string, contentType: string, write: () => string) => {
    let content: string | undefined
    return route({
      ...common,
      path,
      operationId: `reference.${title}`,
      summary: `The ${title} of this API`,
      answers: { 200: { description: title, contentType } },
      handler: () => ({
        status: 200,
        content: (content ??= write()),
        headers: { 'content-type': `${contentType}; charset=utf-8`, 'cache-control': 'no-cache' },
      }),
    })
  }
  const wrapped = (title: string, body: Parameters<typeof page>[0]['body']) =>
    page({ title, stylesheet: REFERENCE_STYLESHEET, body })
  return [
    file('/openapi.json', 'contract', 'application/json', () => JSON.stringify(document())),
    file('/docs/api', 'reference', 'text/html', () =>
      wrapped(`${document().info.title} API`, referencePage(document())),
    ),
    file('/docs/api.css', 'stylesheet', 'text/css', () => STYLESHEET),
    file('/problems', 'problems', 'text/html', () => wrapped('Problems', problemsPage(catalogue))),
    route({
      ...common,
      path: '/problems/:code',
      operationId: 'reference.problem',
      summary: 'Title, cause and fix of a problem code',
      params: ProblemCode,
      answers: { 200: { description: 'The explanation', contentType: 'text/html' } },
      handler({ params }) {
        const meaning = catalogue.get(params.code)
        if (!meaning) throw new Refusal('http.not_found', 'There is no such problem code.')
        return {
          status: 200,
          content: wrapped(meaning.title, problemPage(params.code, meaning)),
          headers: { 'content-type': 'text/html; charset=utf-8' },
        }
      },
    }),
  ]
}
