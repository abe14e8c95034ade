/** A real Chromium from npm, with the libraries and fonts it brings along, so that nothing must be installed for it. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'

const folder = join(import.meta.dirname, '..', '..', 'node_modules', '.cache', 'crossdock-browser')

/** The package's own list of fonts names only folders of Amazon Linux; without any font Chromium ends at the first text. */
const fontsFile = join(folder, 'fonts.conf')
const FONTS = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>${folder}/fonts</dir><cachedir>${folder}/fonts-cache</cachedir></fontconfig>
`

/** The package unpacks into the temporary folder, and its libraries only where it takes itself to be on Amazon Linux. */
const UNPACKING = { TMPDIR: folder, AWS_LAMBDA_JS_RUNTIME: 'nodejs24.x' }

export const hasBrowser = process.platform === 'linux' && process.arch === 'x64'

export async function openBrowser(): Promise<Browser> {
  await mkdir(folder, { recursive: true })
  await writeFile(fontsFile, FONTS)
  return chromium.launch({
    executablePath: await unpack(),
    // root has no sandbox of its own, and neither has a container
    args: ['--no-sandbox', '--no-zygote', '--disable-gpu'],
    env: {
      ...process.env,
      LD_LIBRARY_PATH: join(folder, 'al2023', 'lib'),
      FONTCONFIG_FILE: fontsFile,
    },
  })
}

async function unpack(): Promise<string> {
  const before = Object.keys({ ...UNPACKING, LD_LIBRARY_PATH: '', FONTCONFIG_PATH: '' }).map(
    (name) => [name, process.env[name]] as const,
  )
  Object.assign(process.env, UNPACKING)
  try {
    const { default: packed } = await import('@sparticuz/chromium')
    return await packed.executablePath()
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  }
}
