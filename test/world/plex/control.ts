import * as z from 'zod'
import type { Exchange } from '../stand-in.ts'
import type { NewMovie, PlexControls } from './controls.ts'
import { PlexSession } from './sessions.ts'

const AddMovie: z.ZodType<NewMovie> = z.strictObject({
  title: z.string(),
  sectionKey: z.string().exactOptional(),
  year: z.int().exactOptional(),
  summary: z.string().exactOptional(),
  genres: z.array(z.string()).exactOptional(),
  addedAt: z.int().exactOptional(),
  file: z.string().exactOptional(),
})
const ByKey = z.strictObject({ ratingKey: z.string() })
const ByName = z.strictObject({ name: z.string() })
const Maintenance = z.strictObject({ on: z.boolean() })
const Sessions = z.strictObject({ sessions: z.array(PlexSession) })
const Urls = z.strictObject({ urls: z.array(z.url()) })
const SendWebhook = z.strictObject({ event: z.string(), ratingKey: z.string().exactOptional() })

/** The same controls for other processes: `POST /__control/<name>` with a JSON body, `GET /__control/state`. */
export function controlOperations(controls: PlexControls): Record<string, (exchange: Exchange) => unknown> {
  return {
    state: () => controls.state(),
    'add-movie': (exchange) => ({ ratingKey: controls.addMovie(parse(AddMovie, exchange)) }),
    'remove-item': (exchange) => ({ removed: controls.removeItem(parse(ByKey, exchange).ratingKey) }),
    maintenance: (exchange) => {
      controls.setMaintenance(parse(Maintenance, exchange).on)
      return { ok: true }
    },
    'put-file': async (exchange) => ({ file: await controls.putFile(parse(ByName, exchange).name) }),
    'remove-file': async (exchange) => {
      await controls.removeFile(parse(ByName, exchange).name)
      return { ok: true }
    },
    sessions: (exchange) => {
      controls.setSessions(parse(Sessions, exchange).sessions)
      return { ok: true }
    },
    'webhook-urls': (exchange) => {
      if (exchange.method !== 'GET') controls.setWebhookUrls(parse(Urls, exchange).urls)
      return { urls: controls.webhookUrls() }
    },
    'send-webhook': async (exchange) => {
      const { event, ratingKey } = parse(SendWebhook, exchange)
      return { statuses: await controls.sendWebhook(event, ratingKey) }
    },
  }
}

function parse<T>(schema: z.ZodType<T>, { body }: Exchange): T {
  return schema.parse(JSON.parse(body.toString('utf8')))
}
