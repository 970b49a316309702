import { restored, type Job } from '../youtube/job.ts'

type Storage = Pick<DurableObjectStorage['kv'], 'get' | 'put' | 'delete' | 'list'>

/** The jobs that are not over, one stored value each. What changes twice in one go is written once, by `flush`. */
export class JobTable {
  readonly #storage: Storage
  readonly #changed = new Set<string>()
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

  put(job: Job): void {
    this.#read().set(job.id, job)
    this.#changed.add(job.id)
  }

  remove(id: string): void {
    if (this.#read().delete(id)) this.#changed.add(id)
  }

  flush(): void {
    for (const id of this.#changed) {
      const job = this.#read().get(id)
      if (job) this.#storage.put(`job:${id}`, job)
      else this.#storage.delete(`job:${id}`)
    }
    this.#changed.clear()
  }

  #read(): Map<string, Job> {
    const stored = () => [...this.#storage.list<Job>({ prefix: 'job:' })]
    this.#jobs ??= new Map(stored().map(([, job]) => [job.id, restored(job)]))
    return this.#jobs
  }
}
