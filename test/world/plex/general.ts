import { sendContainer } from './answers.ts'
import type { Row } from './row.ts'
import { visibleSections, type Call, type Route, type World } from './world.ts'
import type { Exchange } from '../stand-in.ts'

const version = '1.43.3.10793-b6a52f2b6'

export const generalRoutes: readonly Route[] = [
  { method: 'GET', pattern: /^\/$/, handle: showServer },
  { method: 'GET', pattern: /^\/media\/providers$/, handle: showProviders },
]

/** Who the server is. Needs no token, and says nothing about one. */
export function sendIdentity(exchange: Exchange, { machineIdentifier }: World): void {
  sendContainer(exchange, { size: 0, apiVersion: '1.1.1', claimed: true, machineIdentifier, version })
}

const capabilities: Row = {
  allowCameraUpload: false,
  allowChannelAccess: true,
  allowMediaDeletion: true,
  allowSharing: true,
  allowSync: true,
  allowTuners: true,
  backgroundProcessing: true,
  certificate: true,
  companionProxy: true,
  countryCode: 'usa',
  diagnostics: 'logs,databases,streaminglogs',
  eventStream: true,
  hubSearch: true,
  livetv: 7,
  mediaProviders: true,
  multiuser: true,
  myPlex: true,
  myPlexMappingState: 'mapped',
  myPlexSigninState: 'ok',
  myPlexSubscription: true,
  myPlexUsername: 'owner@example.org',
  ownerFeatures: 'camera_upload,hardware_transcoding,pass,webhooks',
  platform: 'Linux',
  platformVersion: '6.12.0',
  pluginHost: false,
  pushNotifications: true,
  readOnlyLibraries: false,
  streamingBrainABRVersion: 3,
  streamingBrainVersion: 2,
  sync: true,
  transcoderActiveVideoSessions: 0,
  transcoderAudio: true,
  transcoderPhoto: true,
  transcoderSubtitles: true,
  transcoderVideo: true,
  transcoderVideoBitrates: '64,96,208,320,720,1500,2000,3000,4000,8000,10000,12000,20000',
  transcoderVideoQualities: '0,1,2,3,4,5,6,7,8,9,10,11,12',
  transcoderVideoResolutions: '128,128,160,240,320,480,768,720,720,1080,1080,1080,1080',
  updatedAt: 1_767_225_600,
  updater: true,
  version,
  voiceSearch: true,
}

function about({ machineIdentifier, friendlyName }: World): Row {
  return { friendlyName, machineIdentifier, ...capabilities }
}

function showServer({ exchange, world }: Call): void {
  const names = ['activities', 'hubs', 'identity', 'library', 'media', 'photo', 'status']
  const Directory = names.map((name) => ({ count: 1, key: name, title: name }))
  sendContainer(exchange, { size: Directory.length, ...about(world), Directory })
}

/** The sections a token sees and what the server can do, in one answer. */
function showProviders(call: Call): void {
  const Directory = visibleSections(call).map(({ key, type, title, uuid, agent, scanner }) => ({
    id: key,
    key: `/library/sections/${key}`,
    type,
    title,
    uuid,
    agent,
    scanner,
  }))
  const content = { key: '/library/sections', type: 'content', Directory }
  const search = { key: '/hubs/search', type: 'search' }
  const provider = {
    identifier: 'com.plexapp.plugins.library',
    title: 'Library',
    types: 'video,audio,photo',
    protocols: 'stream,download',
    Feature: [content, search],
  }
  sendContainer(call.exchange, { size: 1, ...about(call.world), MediaProvider: [provider] })
}
