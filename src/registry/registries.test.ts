import { existsSync } from "node:fs"
import { describe, expect, test } from "bun:test"
import { ownSettings } from "../../test/support/own-settings.ts"
import { ACCOUNT, Registry } from "../../test/support/registry.ts"
import { openRegistries } from "./open.ts"
import { registrySuite } from "./registry.suite.ts"

ownSettings()
const open = () => openRegistries({ limits: { attempts: 2, retryDelayMs: 5 } })
const hasRegistry = existsSync("/usr/bin/docker-registry")
if (!hasRegistry) console.log("skipped: a real registry (docker-registry is not installed)")

describe.skipIf(!hasRegistry)("at", () => {
  registrySuite("a registry without accounts", open, async () => {
    const registry = await Registry.start()
    return { host: registry.host, access: {}, stop: () => registry.stop() }
  })

  registrySuite("a registry with accounts", open, async () => {
    const registry = await Registry.start({ private: true })
    const credentials = { username: ACCOUNT.user, password: ACCOUNT.password }
    return { host: registry.host, access: { credentials }, stop: () => registry.stop() }
  })

  test("a registry with accounts, who has none is told of credentials", async () => {
    const registry = await Registry.start({ private: true })
    try {
      const source = await open().open()
      await expect(source.resolve({ registry: registry.host, repository: "a/b", tag: "1" })).rejects.toMatchObject({
        code: "PermissionDenied",
      })
    } finally {
      registry.stop()
    }
  })
})
