import { afterAll, afterEach, beforeEach } from "bun:test"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

/**
 * For the tests of a file that work in this process: a home directory and an empty registries.conf of their own, so that
 * nothing of this host's configuration has a say. Gives the directory.
 */
export function ownSettings(): string {
  const directory = mkdtempSync(join(tmpdir(), "skiff-settings-"))
  const saved = { ...process.env }
  beforeEach(() => {
    writeFileSync(join(directory, "registries.conf"), "")
    Object.assign(process.env, { HOME: directory, CONTAINERS_REGISTRIES_CONF: join(directory, "registries.conf") })
    delete process.env.XDG_CONFIG_HOME
    delete process.env.XDG_RUNTIME_DIR
  })
  afterEach(() => {
    for (const key of Object.keys(process.env)) if (!(key in saved)) delete process.env[key]
    Object.assign(process.env, saved)
  })
  afterAll(() => rmSync(directory, { recursive: true }))
  return directory
}
