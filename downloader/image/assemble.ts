import { existsSync } from 'node:fs'
import { cp, mkdir, readdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join, relative, resolve, sep } from 'node:path'
import { execa } from 'execa'
import * as z from 'zod'

const project = resolve(import.meta.dirname, '../..')
const sources = ['downloader', 'src/contract', 'src/resilience']
const Manifest = z.object({
  dependencies: z.record(z.string(), z.string()).default({}),
})

/** Copies what the downloader needs to run, and nothing else, so that no build and no package manager is in its image. */
export async function assemble(target: string): Promise<void> {
  await mkdir(target, { recursive: true })
  await cp(join(project, 'package.json'), join(target, 'package.json'))
  for (const folder of sources)
    await cp(join(project, folder), join(target, folder), { recursive: true, filter: isRun })
  for (const folder of await modulesOf(await importedPackages(target)))
    await cp(folder, join(target, relative(project, folder)), { recursive: true, dereference: true })
  // Whoever runs it is somebody else, and whoever checked it out may have kept it to themselves.
  await execa('chmod', ['-R', 'a+rX,a-w', target])
}

/** Sources, and the command that people use; not what this image is made from. */
const isRun = (path: string): boolean => {
  const name = path.slice(path.lastIndexOf(sep) + 1)
  return name.endsWith('.ts') || !name.includes('.') ? name !== 'Dockerfile' && name !== 'assemble.ts' : false
}

async function importedPackages(target: string): Promise<Set<string>> {
  const found = new Set<string>()
  for (const folder of sources) {
    const names = await readdir(join(target, folder), { recursive: true })
    for (const name of names.filter((each) => each.endsWith('.ts'))) {
      const text = await readFile(join(target, folder, name), 'utf8')
      for (const [, specifier = ''] of text.matchAll(/^(?:import|export|\}).*? from '([^'.#][^']*)'$/gm))
        if (!specifier.startsWith('node:')) found.add(packageOf(specifier))
    }
  }
  return found
}

const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')

/** The folders of these packages and of all that they depend on in turn. */
async function modulesOf(names: Iterable<string>): Promise<Set<string>> {
  const folders = new Set<string>()
  const visit = async (name: string, from: string): Promise<void> => {
    const folder = folderOf(name, from)
    if (folders.has(folder)) return
    folders.add(folder)
    const { dependencies } = Manifest.parse(JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')))
    for (const dependency of Object.keys(dependencies)) await visit(dependency, folder)
  }
  for (const name of names) await visit(name, project)
  return folders
}

function folderOf(name: string, from: string): string {
  const places = createRequire(join(from, 'package.json')).resolve.paths(name) ?? []
  const place = places.find((each) => existsSync(join(each, name, 'package.json')))
  if (place === undefined) throw new Error(`${name} is not installed: run npm ci`)
  return join(place, name)
}

if (import.meta.main) {
  const [target] = process.argv.slice(2)
  if (!target) throw new Error('usage: assemble.ts <folder>')
  await assemble(resolve(target))
}
