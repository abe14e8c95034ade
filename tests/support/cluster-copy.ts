/** A server's folder made once and copied, which takes a fraction of what setting up and migrating another one takes. */
import { execFile } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** The copy belongs to whom the original belongs, and keeps its password; its server starts as at any later start. */
export async function copyCluster(cluster: string, dataDirectory: string): Promise<void> {
  await mkdir(dataDirectory, { recursive: true, mode: 0o711 })
  await promisify(execFile)('cp', ['-Rp', cluster, join(dataDirectory, 'cluster')])
}
