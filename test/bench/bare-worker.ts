import { Hono } from 'hono'

const app = new Hono<{ Bindings: { readonly BODY: string } }>()

app.get('/', (c) => c.body(c.env.BODY, 200, { 'content-type': 'application/json' }))

export default app
