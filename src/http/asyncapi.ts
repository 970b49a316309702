import * as z from 'zod'

import { pingFrame, pongFrame } from '#contract/downloader-link.ts'
import { LiveCommand, liveEvents, LiveFrame, topicOf, type LiveEventName } from '#contract/live.ts'

import type { Feature } from './feature.ts'
import { jsonSchema, type Json } from './json-schema.ts'
import { accessCookie } from './middleware/guard.ts'

/** The operation that becomes the channel. */
const subscription = 'subscribeLive'

/** The AsyncAPI 3.0 document of the live channel, derived from the events; there is no other description of them. */
export function asyncapi(
  features: readonly Feature[],
  info: { readonly title: string; readonly version: string },
): Json {
  const events = Object.fromEntries(eventNames.map((name) => [keyOf(name), eventMessage(name)]))
  const messages: Json = {
    ...events,
    narrow: narrowMessage(),
    ping: textMessage(pingFrame),
    pong: textMessage(pongFrame),
  }
  return {
    asyncapi: '3.0.0',
    info,
    defaultContentType: 'application/json',
    channels: {
      live: {
        ...channel(features),
        messages: mapValues(messages, (key) => ref(`components/messages/${key}`)),
      },
    },
    operations: {
      tell: {
        action: 'send',
        channel: ref('channels/live'),
        summary: 'What is told, the hello first',
        security: ['bearer', 'cookie', 'ticket'].map((scheme) => ref(`components/securitySchemes/${scheme}`)),
        messages: [...Object.keys(events), 'pong'].map((key) => ref(`channels/live/messages/${key}`)),
      },
      ask: {
        action: 'receive',
        channel: ref('channels/live'),
        summary: 'What a subscriber may say',
        messages: ['narrow', 'ping'].map((key) => ref(`channels/live/messages/${key}`)),
      },
    },
    components: {
      messages,
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
        cookie: { type: 'httpApiKey', in: 'cookie', name: accessCookie },
        ticket: {
          type: 'httpApiKey',
          in: 'query',
          name: 'ticket',
          description: 'Single use, for 30 seconds',
        },
      },
    },
  }
}

const isEventName = (name: string): name is LiveEventName => Object.hasOwn(liveEvents, name)
const eventNames = Object.keys(liveEvents).filter(isEventName)

/** A name as the document's keys may be: they take no colon. */
const keyOf = (name: LiveEventName) => name.replaceAll(':', '.')

const ref = (path: string) => ({ $ref: `#/${path}` })

function mapValues(record: Json, value: (key: string) => unknown): Json {
  return Object.fromEntries(Object.keys(record).map((key) => [key, value(key)]))
}

function channel(features: readonly Feature[]): Json {
  for (const { base, operations } of features) {
    const operation = operations.find(({ id }) => id === subscription)
    if (!operation) continue
    const query = operation.request?.query
    return {
      address: `/api${base}${operation.path}`.replace(/\/$/, ''),
      title: operation.summary,
      ...(query && {
        bindings: { ws: { method: 'GET', query: jsonSchema(query, 'input'), bindingVersion: '0.1.0' } },
      }),
    }
  }
  return { address: null }
}

function eventMessage(name: LiveEventName): Json {
  const frame = LiveFrame.extend({ event: z.literal(name), data: liveEvents[name] })
  return { name, title: name, tags: [{ name: topicOf(name) }], payload: jsonSchema(frame, 'output') }
}

function narrowMessage(): Json {
  return {
    name: 'narrow',
    title: 'Hear of these topics only; of all when there are none',
    payload: jsonSchema(LiveCommand, 'input'),
  }
}

function textMessage(text: string): Json {
  return { name: text, contentType: 'text/plain', payload: { type: 'string', const: text } }
}
