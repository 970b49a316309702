import { html, raw } from 'hono/html'
import * as z from 'zod'

import type { Json } from './json-schema.ts'

const Content = z.record(z.string(), z.object({ schema: z.unknown() }))

const Described = z.object({
  info: z.object({ title: z.string(), version: z.string() }),
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.object({
        summary: z.string(),
        tags: z.array(z.string()),
        security: z.array(z.record(z.string(), z.unknown())),
        'x-role': z.string().optional(),
        parameters: z.array(
          z.object({ name: z.string(), in: z.string(), required: z.boolean(), schema: z.unknown() }),
        ),
        requestBody: z.object({ content: Content }).optional(),
        responses: z.record(z.string(), z.object({ description: z.string(), content: Content.optional() })),
      }),
    ),
  ),
  components: z.object({ schemas: z.record(z.string(), z.unknown()) }),
})
type Operation = z.output<typeof Described>['paths'][string][string]
type Markup = ReturnType<typeof html>

/** The OpenAPI document as a page that can be read and searched, and needs nothing from elsewhere. */
export function docsPage(document: Json, nonce: string): Markup {
  const { info, paths, components } = Described.parse(document)
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      path,
      method,
      operation,
      tag: operation.tags[0] ?? '',
    })),
  )
  const groups = [...Map.groupBy(operations, ({ tag }) => tag)]
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${info.title} API</title>
        <style nonce="${nonce}">
          ${raw(style)}
        </style>
      </head>
      <body>
        <h1>${info.title} API <small>${info.version}</small></h1>
        <p>
          As documents: <a href="/openapi.json">OpenAPI</a>, and <a href="/asyncapi.json">AsyncAPI</a> for
          live events.
        </p>
        <input id="filter" type="search" placeholder="Filter" aria-label="Filter" hidden />
        ${groups.map(
          ([tag, members]) =>
            html`<section>
              <h2>${tag}</h2>
              ${members.map(({ path, method, operation }) => operationMarkup(path, method, operation))}
            </section>`,
        )}
        <section>
          <h2>schemas</h2>
          ${Object.entries(components.schemas).map(
            ([name, schema]) =>
              html`<details id="schema-${name}">
                <summary><code>${name}</code></summary>
                ${json(schema)}
              </details>`,
          )}
        </section>
        <script nonce="${nonce}">
          ${raw(script)}
        </script>
      </body>
    </html>`
}

function operationMarkup(path: string, method: string, operation: Operation): Markup {
  const { summary, parameters, requestBody, responses } = operation
  return html`<details>
    <summary>
      <b>${method.toUpperCase()}</b> <code>${path}</code> <span>${summary}</span> <i>${access(operation)}</i>
    </summary>
    ${parameters.map(
      (parameter) =>
        html`<h3>${parameter.in} <code>${parameter.name}</code>${parameter.required ? '' : ' (optional)'}</h3>
          ${json(parameter.schema)}`,
    )}
    ${requestBody
      ? html`<h3>body</h3>
          ${bodies(requestBody.content)}`
      : ''}
    ${Object.entries(responses).map(
      ([status, { description, content }]) =>
        html`<h3>${status} ${description}</h3>
          ${content && status.startsWith('2') ? bodies(content) : ''}`,
    )}
  </details>`
}

function access({ security, ...operation }: Operation): string {
  if (operation['x-role']) return operation['x-role']
  const schemes = security.flatMap((each) => Object.keys(each))
  if (schemes.includes('machine')) return 'machine'
  return schemes.length > 0 && security.length === 1 ? 'signed in' : ''
}

const bodies = (content: z.output<typeof Content>) => Object.values(content).map(({ schema }) => json(schema))

/** A schema as JSON, with the names of others leading to them. */
function json(schema: unknown): Markup {
  const parts = JSON.stringify(schema, null, 2).split(/"\$ref": "#\/components\/schemas\/([\w.-]+)"/)
  return html`<pre>
${parts.map((part, index) => (index % 2 === 0 ? part : html`<a href="#schema-${part}">${part}</a>`))}</pre>`
}

const style = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h1 small { font-size: 1rem; opacity: .6 }
h2 { text-transform: capitalize; margin-top: 2rem }
h3 { font-size: 1rem; margin: 1rem 0 .25rem }
details { border-top: 1px solid color-mix(in srgb, currentColor 20%, transparent); padding: .5rem 0 }
summary { display: flex; flex-wrap: wrap; gap: 0 .75rem; cursor: pointer; list-style: none }
summary::-webkit-details-marker { display: none }
summary::before { content: '▸'; width: .75rem; opacity: .6 }
details[open] > summary::before { content: '▾' }
summary b { min-width: 3.75rem }
summary code { overflow-wrap: anywhere }
summary span { flex: 1 }
summary i { opacity: .6 }
@media (max-width: 45rem) {
  body { margin: 1rem auto }
  summary i { margin-left: auto }
  summary b ~ code, summary b ~ span { order: 1; flex: 1 0 100%; box-sizing: border-box; padding-left: 1.5rem }
}
pre { overflow-x: auto; margin: 0; padding: .75rem; background: color-mix(in srgb, currentColor 7%, transparent) }
input { width: 100%; padding: .5rem; font: inherit; box-sizing: border-box }
`

const script = `
const filter = document.getElementById('filter')
filter.hidden = false
addEventListener('hashchange', () => {
  const schema = document.getElementById(decodeURIComponent(location.hash.slice(1)))
  if (!schema) return
  filter.value = ''
  filter.dispatchEvent(new Event('input'))
  schema.open = true
  schema.scrollIntoView()
})
filter.addEventListener('input', () => {
  const wanted = filter.value.toLowerCase()
  for (const details of document.querySelectorAll('details')) {
    details.hidden = !details.firstElementChild.textContent.toLowerCase().includes(wanted)
  }
  for (const section of document.querySelectorAll('section')) {
    section.hidden = !section.querySelector('details:not([hidden])')
  }
})
`
