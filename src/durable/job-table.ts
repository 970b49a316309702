import type { Job } from '../youtube/job.ts'

type Storage = Pick<DurableObjectStorage['kv'], 'get' | 'put' | 'delete' | 'list'>

/** The jobs that are not over, one stored value each. */
export class JobTable {
  readonly #storage: Storage
  #jobs: Map<string, Job> | undefined

  constructor(storage: Storage) {
    this.#storage = storage
  }

  all(): readonly Job[] {
    return [...this.#read().values()]
  }

  get(id: string): Job | undefined {
    return this.#read().get(id)
  }

  put<J extends Job>(job: J): J {
    this.#read().set(job.id, job)
    this.#storage.put(`job:${job.id}`, job)
    return job
  }

  remove(id: string): void {
    this.#read().delete(id)
    this.#storage.delete(`job:${id}`)
  }

  #read(): Map<string, Job> {
    this.#jobs ??= new Map([...this.#storage.list<Job>({ prefix: 'job:' })].map(([, job]) => [job.id, job]))
    return this.#jobs
  }
}
