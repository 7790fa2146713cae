import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { findCredentials } from "./credentials.ts"

const home = mkdtempSync(join(tmpdir(), "skiff-auth-"))
const bin = join(home, "bin")
const savedPath = process.env.PATH
beforeAll(() => {
  for (const dir of [".docker", ".config/containers", "run/containers", "bin"])
    mkdirSync(join(home, dir), { recursive: true })
  process.env.PATH = `${bin}:${savedPath}`
})
afterAll(() => {
  process.env.PATH = savedPath
  rmSync(home, { recursive: true })
})

const env = { HOME: home, XDG_RUNTIME_DIR: join(home, "run") }
const auth = (user: string) => ({ auth: btoa(`${user}:pw:${user}`) })
const write = (path: string, document: unknown) => writeFileSync(join(home, path), JSON.stringify(document))
const user = async (registry: string, repository: string) =>
  (await findCredentials(registry, repository, { env }))?.username

function helper(name: string, script: string): void {
  writeFileSync(join(bin, `docker-credential-${name}`), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
}

test("the longest key counts, and keys may be written as docker writes them", async () => {
  const auths = {
    "https://index.docker.io/v1/": auth("hub"),
    "r.example": auth("host"),
    "r.example/team": auth("team"),
    "r.example/team/app": auth("app"),
    "http://old.example/v2/": auth("old"),
  }
  write(".docker/config.json", { auths })
  expect(await user("docker.io", "library/x")).toBe("hub")
  expect(await user("r.example", "other")).toBe("host")
  expect(await user("r.example", "teammate/x")).toBe("host")
  expect(await user("r.example", "team/x")).toBe("team")
  expect(await user("r.example", "team/app")).toBe("app")
  expect(await user("old.example", "x")).toBe("old")
  expect(await user("r.example.evil", "x")).toBeUndefined()
  expect(await findCredentials("r.example", "x", { env })).toEqual({ username: "host", password: "pw:host" })
})

test("auth.json goes before docker's file, the run-time one first; $REGISTRY_AUTH_FILE is the only one", async () => {
  write(".docker/config.json", { auths: { "r.example": auth("docker") } })
  write(".config/containers/auth.json", { auths: { "r.example": auth("config") } })
  expect(await user("r.example", "x")).toBe("config")
  write("run/containers/auth.json", { auths: { "r.example": auth("run") } })
  expect(await user("r.example", "x")).toBe("run")
  write("own.json", { auths: {} })
  const own = { ...env, REGISTRY_AUTH_FILE: join(home, "own.json") }
  expect(await findCredentials("r.example", "x", { env: own })).toBeUndefined()
  for (const path of ["run/containers/auth.json", ".config/containers/auth.json"]) rmSync(join(home, path))
  await expect(findCredentials("r.example", "x", { authFile: "/none" })).rejects.toThrow(/no such auth file/)
})

test("an identity token is told from a password", async () => {
  write(".docker/config.json", { auths: { "r.example": { ...auth("u"), identitytoken: "tok" } } })
  expect(await findCredentials("r.example", "x", { env })).toEqual({ username: "u", identityToken: "tok" })
})

test("a broken file is named, and its secrets are not quoted", async () => {
  const path = join(home, ".docker/config.json")
  writeFileSync(path, '{"auths": {"r.example": {"auth": "s3cret"')
  const broken = findCredentials("r.example", "x", { env })
  await expect(broken).rejects.toThrow(expect.objectContaining({ message: expect.stringMatching(/config\.json/) }))
  await expect(broken).rejects.toThrow(expect.objectContaining({ message: expect.not.stringMatching(/s3cret/) }))
  write(".docker/config.json", { auths: { "r.example": { auth: btoa("nocolon") } } })
  await expect(findCredentials("r.example", "x", { env })).rejects.toThrow(/not base64 of user:password/)
})

describe("a helper", () => {
  test("is asked with the server on standard input; the one for this registry before the general one", async () => {
    helper("echoing", 'read server || true; printf \'{"Username":"%s","Secret":"s"}\' "$server-$1"')
    write(".docker/config.json", { credHelpers: { "r.example": "echoing" }, credsStore: "none-such" })
    expect(await user("r.example", "x")).toBe("r.example-get")
    write(".docker/config.json", { credsStore: "echoing", auths: { "r.example": auth("file") } })
    expect(await user("docker.io", "x")).toBe("https://index.docker.io/v1/-get")
  })

  test("that has none lets the search go on; one that fails ends it", async () => {
    helper("empty", "echo credentials not found in native keychain; exit 1")
    write(".docker/config.json", { credsStore: "empty" })
    expect(await user("r.example", "x")).toBeUndefined()
    helper("broken", "echo s3cret; exit 3")
    write(".docker/config.json", { credsStore: "broken" })
    await expect(user("r.example", "x")).rejects.toThrow(/docker-credential-broken.*exit code 3$/)
    helper("garbage", "echo s3cret")
    write(".docker/config.json", { credsStore: "garbage" })
    await expect(user("r.example", "x")).rejects.toThrow(/did not answer with Username and Secret$/)
  })

  test("that is missing, or whose name is a path, is an error (CVE-2021-41092)", async () => {
    write(".docker/config.json", { credsStore: "none-such", auths: {} })
    await expect(user("r.example", "x")).rejects.toThrow(/"docker-credential-none-such".*cannot be run/)
    write(".docker/config.json", { credsStore: "../../bin/sh" })
    await expect(user("r.example", "x")).rejects.toThrow(/invalid credential helper/)
  })
})
