export { CircuitBreaker } from './durable/circuit-breaker.ts'
export { DownloadQueue } from './durable/download-queue.ts'
export { LiveRoom } from './durable/live-room.ts'
export { PlexServer } from './durable/plex-server.ts'
export { RateLimiter } from './durable/rate-limiter.ts'
export { UserGate } from './durable/user-gate.ts'
export default {}
