import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join, resolve } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { PortTakenError, startLocalWorker, type LocalWorker } from '../../../scripts/local/local-worker.ts'
import { freePort } from '../../../scripts/local/ports.ts'
import { temporaryFolder } from './temporary-folder.ts'

const config = `
name = "sample"
main = "src/index.ts"
compatibility_date = "2026-10-20"
vars = { GREETING = "from the file", NAME = "nobody" }
triggers = { crons = ["* * * * *"] }
kv_namespaces = [{ binding = "KEYS", id = "00000000000000000000000000000000" }]
durable_objects = { bindings = [{ name = "COUNTER", class_name = "Counter" }] }
migrations = [{ tag = "v1", new_sqlite_classes = ["Counter"] }]
[[d1_databases]]
binding = "DB"
database_name = "sample"
database_id = "00000000-0000-0000-0000-000000000000"
migrations_dir = "migrations"
`

const source = `
import { DurableObject } from 'cloudflare:workers'
export class Counter extends DurableObject {
  async count() {
    const count = ((await this.ctx.storage.get('count')) ?? 0) + 1
    await this.ctx.storage.put('count', count)
    return count
  }
  async reach(url) { return (await fetch(url)).text() }
}
export default {
  async fetch(request, env) {
    const counter = env.COUNTER.getByName('one')
    const rows = await env.DB.prepare('SELECT word FROM words ORDER BY word').all()
    const outside = new URL(request.url).searchParams.get('outside')
    console.log('asked')
    return Response.json({
      greeting: env.GREETING,
      name: env.NAME,
      count: await counter.count(),
      words: rows.results.map(({ word }) => word),
      cron: await env.KEYS.get('cron'),
      outside: outside ? await counter.reach(outside) : undefined,
    })
  },
  async scheduled(event, env) { await env.KEYS.put('cron', event.cron) },
}
`

async function sampleProject(): Promise<string> {
  const root = await temporaryFolder()
  await mkdir(join(root, 'src'))
  await mkdir(join(root, 'migrations'))
  await writeFile(join(root, 'wrangler.toml'), config)
  await writeFile(join(root, 'src', 'index.ts'), source)
  await writeFile(
    join(root, 'migrations', '0001_words.sql'),
    `CREATE TABLE words (word TEXT);
     INSERT INTO words VALUES ('semi;colon');
     CREATE TRIGGER loud AFTER INSERT ON words BEGIN UPDATE words SET word = upper(word); SELECT 1; END;`,
  )
  await symlink(resolve('node_modules'), join(root, 'node_modules'))
  return root
}

type Seen = {
  greeting: string
  name: string
  count: number
  words: string[]
  cron: string | null
  outside?: string
}

async function ask(worker: LocalWorker, query = ''): Promise<Seen> {
  const answer = await fetch(`${worker.url}/${query}`)
  return (await answer.json()) as Seen
}

test('the Worker runs with the bindings of wrangler.toml, and remembers over a restart', async () => {
  const root = await sampleProject()
  const stateFolder = join(root, 'state')
  const lines: string[] = []
  const start = () =>
    startLocalWorker({ root, stateFolder, vars: { NAME: 'somebody' }, onLog: (line) => lines.push(line) })
  const first = await start()
  onTestFinished(first.stop)
  await first.fireCrons()
  expect(await ask(first)).toEqual({
    greeting: 'from the file',
    name: 'somebody',
    count: 1,
    words: ['semi;colon'],
    cron: '* * * * *',
  })
  await first.stop()
  await writeFile(join(root, 'migrations', '0002_more.sql'), "INSERT INTO words VALUES ('more');")
  const second = await start()
  onTestFinished(second.stop)
  expect(await ask(second)).toMatchObject({ count: 2, words: ['MORE', 'SEMI;COLON'], cron: '* * * * *' })
  expect(lines.filter((line) => line.includes('asked'))).toHaveLength(2)
})

test('objects reach services on this machine, and a crash of the runtime is overcome at the same address', async () => {
  const root = await sampleProject()
  const service = createServer((_, response) => response.end('hello'))
  const port = await freePort(undefined)
  await new Promise<void>((done) => service.listen(port, '127.0.0.1', done))
  onTestFinished(() => void service.close())
  const worker = await startLocalWorker({ root, vars: {} })
  onTestFinished(worker.stop)
  expect(await ask(worker, `?outside=http://127.0.0.1:${port}/`)).toMatchObject({
    outside: 'hello',
    count: 1,
  })
  const [runtime] = worker.processIds()
  if (runtime === undefined) throw new Error('no runtime')
  process.kill(runtime, 'SIGKILL')
  await expect
    .poll(
      () =>
        ask(worker).then(
          ({ count }) => count,
          () => 0,
        ),
      { timeout: 10_000 },
    )
    .toBe(2)
  expect(worker.processIds()).not.toContain(runtime)
})

test('a port that is taken is named', async () => {
  const root = await sampleProject()
  const other = createServer()
  const port = await freePort(undefined)
  await new Promise<void>((done) => other.listen(port, '127.0.0.1', done))
  onTestFinished(() => void other.close())
  await expect(startLocalWorker({ root, port, vars: {} })).rejects.toThrow(new PortTakenError(port))
})

test('a Worker that does not build says why', async () => {
  const root = await sampleProject()
  await writeFile(join(root, 'src', 'index.ts'), "import './missing.ts'\nexport default {}\n")
  await expect(startLocalWorker({ root, vars: {} })).rejects.toThrow(/Could not resolve "\.\/missing\.ts"/)
})
