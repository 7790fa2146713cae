import { afterAll, describe, expect, test } from "bun:test"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Project, Service } from "../project.ts"
import { testProject } from "../test-project.suite.ts"
import { bakeFile } from "./bake-file.ts"
import { serviceBuild } from "./build-options.ts"
import { buildDependencies } from "./build-order.ts"

const directory = mkdtempSync(join(tmpdir(), "skiff-compose-build-"))
afterAll(() => rmSync(directory, { recursive: true, force: true }))
const context = join(directory, "web")
mkdirSync(join(context, "docker"), { recursive: true })
writeFileSync(join(context, "docker/Dev.dockerfile"), "FROM base\n")
writeFileSync(
  join(context, "Dockerfile"),
  "ARG V=1\nFROM --platform=$BUILDPLATFORM shop-base:latest AS one\nFROM busybox\n",
)
const token = join(directory, "token")
writeFileSync(token, "t0p")

const project = (services: Record<string, Service>, more: Partial<Project> = {}): Project =>
  testProject(services, {
    name: "shop",
    workingDirectory: directory,
    environment: { FROM_SHELL: "s", TOKEN: "from the .env file" },
    ...more,
  })
const optionsOf = (web: Service, more: Partial<Project> = {}) => serviceBuild(project({ web }, more), "web", web)

const withSecrets = (...sources: string[]) => ({ build: { context, secrets: sources.map((source) => ({ source })) } })

describe("the build of a service", () => {
  test("is named after project and service, and labelled as docker's", () => {
    const { tags, labels, context: found } = optionsOf({ build: { context, tags: ["r/x:1"], labels: { a: "b" } } })
    expect(tags).toEqual(["shop-web", "r/x:1"])
    expect(labels).toEqual({
      a: "b",
      "com.docker.compose.project": "shop",
      "com.docker.compose.service": "web",
      "com.docker.compose.version": "2.40.3",
    })
    expect(found).toEqual({ kind: "directory", path: context })
  })

  test("takes arguments without a value from the project's environment, and leaves out what that has not", () => {
    expect(optionsOf({ build: { context, args: { A: "1", FROM_SHELL: null, NOWHERE: null } } }).args).toEqual({
      A: "1",
      FROM_SHELL: "s",
    })
  })

  test("finds a Dockerfile below its context, and takes one that stands in the file", () => {
    expect(optionsOf({ build: { context, dockerfile: "docker/Dev.dockerfile" } }).dockerfile).toEqual({
      pathInContext: "docker/Dev.dockerfile",
    })
    expect(optionsOf({ build: { context, dockerfile_inline: "FROM x" } }).dockerfile).toEqual({
      text: "FROM x",
      name: "Dockerfile",
    })
  })

  test("reads secrets of files and of the project's own environment; another kind is refused by name", () => {
    const secrets = { f: { file: token }, e: { environment: "TOKEN" }, x: { external: true } }
    expect(optionsOf(withSecrets("f", "e"), { secrets }).secrets).toEqual([
      { id: "f", source: { file: token } },
      { id: "e", source: { text: "from the .env file" } },
    ])
    expect(() => optionsOf(withSecrets("x"), { secrets })).toThrow('service "web": unsupported external secret x')
  })

  test("is refused for a network of its own, and for a context that is not there", () => {
    expect(() => optionsOf({ build: { context, network: "shop_default" } })).toThrow('network "shop_default"')
    expect(() => optionsOf({ build: { context: join(directory, "none") } })).toThrow("not found")
  })
})

describe("the order of builds", () => {
  const services: Record<string, Service> = {
    base: { build: { context } },
    web: { build: { context } },
    api: { build: { context, additional_contexts: { own: "service:web" }, dockerfile_inline: "FROM own" } },
  }

  test("an image that a Dockerfile names in FROM, and a service taken as a context, come first", () => {
    expect(buildDependencies(project(services), "web")).toEqual(["base"])
    expect(buildDependencies(project(services), "api")).toEqual(["web"])
    expect(buildDependencies(project(services), "base")).toEqual([])
  })

  test("bake is given the same: contexts of services are targets", () => {
    expect(bakeFile(project(services), ["api"], {})).toMatchObject({
      group: { default: { targets: ["api"] } },
      target: {
        api: {
          contexts: { own: "target:web" },
          "dockerfile-inline": "FROM own",
          tags: ["shop-api"],
          output: ["type=docker"],
        },
        web: { dockerfile: join(context, "Dockerfile") },
      },
    })
  })
})
