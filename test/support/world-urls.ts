/** Where the stand-ins listen during a run of the Worker's tests. */
export type WorldUrls = {
  readonly plexUrl: string
  readonly plexTvUrl: string
  readonly machineIdentifier: string
  readonly youtubeFolder: string
}

declare module 'vitest' {
  interface ProvidedContext {
    world: WorldUrls
  }
}
