import { createHash } from "node:crypto"
import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { openRegistries } from "../../../registry/open.ts"
import { serve, type TestServer } from "../../../registry/client/test-server.ts"
import { loadProject } from "../load.ts"
import { isRemote } from "../remote.ts"
import { parseGitName } from "./git-name.ts"
import { openRemotes } from "./remote-files.ts"

let home = ""
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "skiff-remote-"))
})
afterEach(() => rmSync(home, { recursive: true }))

interface Layer {
  text: string
  annotations?: Record<string, string>
  mediaType?: string
}

const digestOf = (text: string) => `sha256:${createHash("sha256").update(text).digest("hex")}`

/** A registry with one artifact, `p:1`. */
async function registryWith(layers: readonly Layer[], lies = false): Promise<TestServer> {
  const blobs = new Map(layers.map(({ text }) => [digestOf(text), lies ? text.toUpperCase() : text]))
  const descriptor = ({ text, annotations = {}, mediaType = "application/vnd.docker.compose.file+yaml" }: Layer) => ({
    mediaType,
    digest: digestOf(text),
    size: text.length,
    annotations,
  })
  const config = { mediaType: "application/vnd.oci.empty.v1+json", digest: digestOf("{}"), size: 2 }
  const mediaType = "application/vnd.oci.image.manifest.v1+json"
  const manifest = JSON.stringify({ schemaVersion: 2, mediaType, config, layers: layers.map(descriptor) })
  return serve((request, response) => {
    const blob = blobs.get(/blobs\/(.*)$/.exec(request.url ?? "")?.[1] ?? "")
    if (request.url?.includes("/manifests/")) response.writeHead(200, { "content-type": mediaType }).end(manifest)
    else if (blob === undefined) response.writeHead(request.url === "/v2/" ? 200 : 404).end()
    else response.writeHead(200).end(blob)
  })
}

const noGit = async () => {
  throw new Error("no repository is asked for")
}
const remotes = (clone: (url: string, directory: string) => Promise<{ commit: string }> = noGit) =>
  openRemotes({ registries: async () => openRegistries(), clone }, { XDG_CACHE_HOME: home })

const load = (file: string, from = remotes()) =>
  loadProject(
    { currentDirectory: home, files: [file], profiles: [], environmentFiles: [], environment: {}, projectName: "p" },
    from,
  )

const over = (files: string[], more = {}) =>
  loadProject(
    {
      currentDirectory: home,
      files,
      profiles: [],
      environmentFiles: [],
      environment: {},
      projectName: "p",
      ...more,
    },
    remotes(),
  ).catch(String)

test("names of other machines are told from paths", () => {
  for (const name of [
    "oci://a/b:1",
    "https://h/r.git",
    "https://h/r.git#main:d",
    "git@h:r.git",
    "ssh://h/r",
    "git://h/r",
    "github.com/o/r",
  ])
    expect([name, isRemote(name)]).toEqual([name, true])
  for (const name of ["compose.yaml", "./a@b:c", "/x/y.git", "https://h/r", "a:b", "-", "C:/x"])
    expect([name, isRemote(name)]).toEqual([name, false])
  expect(parseGitName("github.com/o/r#main:a/b.yaml")).toEqual({
    url: "https://github.com/o/r.git",
    ref: "main",
    path: "a/b.yaml",
  })
  expect(parseGitName("https://h/r.git")).toEqual({ url: "https://h/r.git", ref: "", path: "" })
})

describe("a project of a registry", () => {
  test("comes with what it extends and its env files, once", async () => {
    await using registry = await registryWith([
      { text: "services: {a: {image: a, env_file: a.env, extends: {file: base/b.yaml, service: b}}}" },
      { text: "services: {a: {tty: true}}" },
      {
        text: "services: {b: {privileged: true}}",
        annotations: { "com.docker.compose.extends": "true", "com.docker.compose.file": "base/b.yaml" },
      },
      {
        text: "X=1\n",
        mediaType: "application/vnd.docker.compose.envfile",
        annotations: { "com.docker.compose.envfile": "a.env" },
      },
    ])
    const name = `oci://${registry.host}/p:1`
    const { project } = await load(name)
    expect(project.services.a).toMatchObject({ image: "a", tty: true, privileged: true, environment: { X: "1" } })
    expect(project.workingDirectory).toStartWith(join(home, "skiff/compose/oci-"))
    const before = registry.requests.length
    await load(name)
    expect(registry.requests.slice(before).filter(({ url }) => url?.includes("/blobs/"))).toEqual([])
  })

  test.each(["../b.yaml", "/etc/b.yaml", "a/../../b.yaml", "", ".", "a\\b"])(
    "may not name a file %j (CVE-2025-62725)",
    async (file) => {
      await using registry = await registryWith([
        { text: "services: {a: {image: a}}" },
        { text: "x", annotations: { "com.docker.compose.extends": "true", "com.docker.compose.file": file } },
      ])
      await expect(load(`oci://${registry.host}/p:1`)).rejects.toThrow("leads out of its directory")
      expect(existsSync(join(home, "skiff"))).toBe(false)
    },
  )

  test.each([
    ["services: {a: {image: a, env_file: ../../../secret}}"],
    ["services: {a: {image: a, env_file: /etc/passwd}}"],
    ["services: {a: {image: a, label_file: /etc/passwd}}"],
    ["services: {a: {extends: {file: ../../../secret, service: a}}}"],
    ["include: [../../../secret]"],
    ["include: [/etc/passwd]"],
    ["include: [{path: i.yaml, env_file: /etc/passwd}]"],
    ["include: [{path: i.yaml, project_directory: /etc}]"],
    ["services: {a: {image: a, secrets: [s]}}\nsecrets: {s: {file: /etc/shadow}}"],
    ["services: {a: {build: ../../..}}"],
    ["services: {a: {build: {context: ., dockerfile: ../../../secret}}}"],
    ["services: {a: {build: {context: ., dockerfile: /etc/passwd}}}"],
    ["services: {a: {build: {context: ., additional_contexts: {home: ../../..}}}}"],
    ["services: {a: {build: {context: ., ssh: [default=/etc/ssh/key]}}}"],
  ])("may read nothing of this machine: %s", async (text) => {
    writeFileSync(join(home, "secret"), "services: {a: {image: LEAKED}}\n")
    const annotations = { "com.docker.compose.extends": "true", "com.docker.compose.file": "i.yaml" }
    await using registry = await registryWith([{ text }, { text: "services: {i: {image: i}}", annotations }])
    const failure = await load(`oci://${registry.host}/p:1`).catch(String)
    expect(failure).toContain("is outside of the remote files that name it")
    expect(failure).not.toContain("LEAKED")
  })

  test.each([
    ["services: {a: {env_file: ./secret}}"],
    ["services: {a: {extends: {file: ./local.yaml, service: a}}}"],
    ["include: [./local.yaml]"],
    ["secrets: {s: {file: /etc/shadow}}"],
  ])("may read nothing of this machine where a file of this machine comes before it: %s", async (text) => {
    writeFileSync(join(home, "secret"), "X=LEAKED\n")
    writeFileSync(join(home, "local.yaml"), "services: {a: {image: LEAKED}}\n")
    writeFileSync(join(home, "compose.yaml"), "services: {a: {image: a}}\n")
    await using registry = await registryWith([{ text }])
    const name = `oci://${registry.host}/p:1`
    expect(await over([join(home, "compose.yaml"), name])).toContain("is outside of the remote files that name it")
    writeFileSync(join(home, "outer.yaml"), `include: [{path: [compose.yaml, "${name}"]}]\n`)
    expect(await over([join(home, "outer.yaml")])).toContain("is outside of the remote files that name it")
  })

  test.each([["env_file: /etc/passwd"], ["label_file: /etc/passwd"], ["env_file: ../../../secret"]])(
    "may read nothing of this machine where a service of this machine extends it: %s",
    async (line) => {
      writeFileSync(join(home, "secret"), "X=LEAKED\n")
      await using registry = await registryWith([{ text: `services: {b: {image: b, ${line}}}` }])
      const text = `services: {a: {extends: {file: "oci://${registry.host}/p:1", service: b}}}\n`
      writeFileSync(join(home, "compose.yaml"), text)
      expect(await over([join(home, "compose.yaml")])).toContain("is outside of the remote files that name it")
    },
  )

  test("may read nothing of this machine where paths stay as they are", async () => {
    writeFileSync(join(home, "secret"), "X=LEAKED\n")
    await using registry = await registryWith([{ text: "services: {a: {image: a, env_file: ../../../secret}}" }])
    expect(await over([`oci://${registry.host}/p:1`], { skipPathResolution: true })).toContain(
      "is outside of the remote",
    )
  })

  test("may start no program of this machine", async () => {
    const text = "services: {a: {provider: {type: bash}}}"
    await using registry = await registryWith([{ text }])
    const name = `oci://${registry.host}/p:1`
    writeFileSync(join(home, "extends.yaml"), `services: {x: {extends: {file: "${name}", service: a}}}\n`)
    writeFileSync(join(home, "include.yaml"), `include: ["${name}"]\n`)
    for (const file of [name, join(home, "extends.yaml"), join(home, "include.yaml")])
      expect(await over([file])).toContain("a remote file names a provider")
  })

  test("is refused where its bytes are not what their digest says, or it is none", async () => {
    await using liar = await registryWith([{ text: "services: {a: {image: a}}" }], true)
    await expect(load(`oci://${liar.host}/p:1`)).rejects.toThrow("is not what its digest says")
    await using other = await registryWith([{ text: "x", mediaType: "text/plain" }])
    await expect(load(`oci://${other.host}/p:1`)).rejects.toThrow("is not a compose project")
  })
})

describe("a project of a repository", () => {
  const commit = "0123456789012345678901234567890123456789"
  const clones: string[] = []
  const from = (fill: (directory: string) => void) =>
    remotes(async (url, directory) => {
      clones.push(url)
      fill(directory)
      return { commit }
    })

  test("is kept by its commit, which is asked for once", async () => {
    const repository = from((directory) => writeFileSync(join(directory, "compose.yaml"), "services: {a: {image: a}}"))
    const { project } = await load("https://h/r.git#main", repository)
    expect(readFileSync(project.files[0] ?? "", "utf8")).toContain("image: a")
    await load(`https://h/r.git#${commit}`, repository)
    expect(clones).toEqual(["https://h/r.git#main"])
  })

  test("may not be left by a path or a link", async () => {
    await expect(load("https://h/r.git#main:../../etc")).rejects.toThrow("leads out of the repository")
    const linked = from((directory) => symlinkSync("/etc", join(directory, "d")))
    await expect(load("https://h/r.git#other:d/passwd", linked)).rejects.toThrow("is outside of the remote files")
    writeFileSync(join(home, "mine.env"), "LEAKED=1\n")
    const environment = from((directory) => {
      writeFileSync(join(directory, "compose.yaml"), "services: {a: {image: 'evil.example/$LEAKED'}}")
      symlinkSync(join(home, "mine.env"), join(directory, ".env"))
    })
    await expect(load("https://h/env.git", environment)).rejects.toThrow("is outside of the remote files")
  })
})
