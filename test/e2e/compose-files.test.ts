/** From files to a project, by the executable: where files come from, and how what is wrong with them is told. One user is enough. */
import { afterAll, expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import { chmodSync, createReadStream, existsSync, mkdirSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { dirname, join, normalize } from "node:path"
import { findProgram } from "../../src/sys/host.ts"
import { openStore } from "../support/store.ts"

const skiff = openStore()
let count = 0

/** A directory of its own with these files. */
function project(files: Record<string, string>): string {
  const root = join(skiff.directory, `project-${count++}`)
  mkdirSync(root, { mode: 0o755 })
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), text)
  }
  return root
}

const config = (cwd: string, words: string[] = [], env: Record<string, string> = {}) =>
  skiff.run(["compose", ...words, "config", "--format", "json"], { cwd, env })

interface Model {
  name: string
  services: Record<string, Record<string, unknown>>
}

test("files, overrides, .env, includes and bases of other files make one project", async () => {
  const root = project({
    "compose.yaml":
      "name: shop-$STAGE\ninclude: [db/db.yaml]\nservices: {web: {extends: {file: base.yaml, service: web}, depends_on: [db]}}\n",
    "compose.override.yaml": 'services: {web: {ports: !override ["${PORT:-8080}:80"]}}\n',
    "base.yaml": 'services: {web: {image: "web:$TAG", ports: ["80:80"], environment: {A: 1}}}\n',
    "db/db.yaml": 'services: {db: {image: "db:$TAG", volumes: ["./data:/data"]}}\n',
    "db/.env": "TAG=16\n",
    ".env": "STAGE=test\n",
    "deep/x": "",
  })
  const { stdout, stderr, code } = await config(join(root, "deep"), [], { PORT: "81" })
  expect([code, stderr]).toEqual([0, 'skiff: warn: The "TAG" variable is not set. Defaulting to a blank string.\n'])
  const { name, services } = JSON.parse(stdout) as Model
  expect(name).toBe("shop-test")
  expect(services.web).toMatchObject({
    image: "web:",
    ports: [{ target: 80, published: "81" }],
    environment: { A: "1" },
  })
  expect(services.db).toMatchObject({ image: "db:16", volumes: [{ source: join(root, "db/data") }] })
})

test.each([
  [
    "services:\n  a:\n    imagee: x\n",
    "validating FILE: services.a additional properties 'imagee' not allowed",
    3,
    "imagee: x",
  ],
  ["services:\n  a:\n    image: x\n   b: 1\n", "yaml: line 4: did not find expected key", 4, "b: 1"],
  [
    "services:\n  a: {image: '${V:?needed}'}\n",
    "error while interpolating services.a.image: required variable V is missing a value: needed",
    2,
    "a: {image",
  ],
  [
    "services:\n  a: {image: x, depends_on: [b]}\n",
    'service "a" depends on undefined service "b": invalid compose project',
    2,
    "a: {image",
  ],
])("what is wrong is told in docker's words, with the line: %j", async (text, words, line, quoted) => {
  const root = project({ "compose.yaml": text })
  const file = join(root, "compose.yaml")
  const { code, stdout, stderr } = await config(root)
  expect([code, stdout]).toEqual([1, ""])
  expect(stderr).toContain(words.replace("FILE", file))
  expect(stderr).toContain(`${file}:${line}:`)
  expect(stderr.split("\n").find((one) => one.includes(">>>"))).toContain(quoted)
})

test("variables that steer our runtime are the caller's like others", async () => {
  const root = project({ "compose.yaml": 'services: {a: {image: "x:$NODE_ENV", environment: [LD_X, BUN_X]}}\n' })
  const { stdout } = await config(root, ["-p", "p"], { NODE_ENV: "production", LD_X: "1", BUN_X: "2" })
  expect((JSON.parse(stdout) as Model).services.a).toMatchObject({
    image: "x:production",
    environment: { LD_X: "1", BUN_X: "2" },
  })
})

test("standard input is a file", async () => {
  const root = project({})
  const stdin = "services: {a: {image: seen}}\n"
  const { stdout } = await skiff.run(["compose", "-f", "-", "-p", "p", "config", "--images"], { cwd: root, stdin })
  expect(stdout).toBe("seen\n")
})

const noGit = findProgram("git") === undefined
if (noGit) console.warn("skipped: git is not installed")

test.skipIf(noGit)("a repository is a project, kept by its commit", async () => {
  const root = project({
    "work/app/compose.yaml": "services: {a: {extends: {file: ../common.yaml, service: c}}}\n",
    "work/common.yaml": "services: {c: {image: from-git}}\n",
  })
  const git = (...words: string[]) => {
    const identity = [
      "-c",
      "user.name=t",
      "-c",
      "user.email=t@example",
      "-c",
      "init.defaultBranch=main",
      "-c",
      "safe.directory=*",
    ]
    const { status, stderr } = spawnSync("git", [...identity, ...words], {
      cwd: join(root, "work"),
      env: { PATH: process.env.PATH, HOME: "/nonexistent", GIT_CONFIG_GLOBAL: "/dev/null" },
    })
    if (status !== 0) throw new Error(String(stderr))
  }
  for (const words of [
    "init -q",
    "add -A",
    "commit -qm one",
    "clone -q --bare . ../repo.git",
    "-C ../repo.git update-server-info",
  ])
    git(...words.split(" "))
  const server = createServer((request, response) => {
    const path = join(root, normalize((request.url ?? "/").split("?")[0] ?? "/"))
    if (existsSync(path))
      createReadStream(path)
        .on("error", () => response.destroy())
        .pipe(response)
    else response.writeHead(404).end()
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  afterAll(() => void server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/repo.git`
  const cache = join(root, "cache")
  mkdirSync(cache)
  chmodSync(cache, 0o777)
  const env = { XDG_CACHE_HOME: cache }
  const { stdout, stderr } = await config(root, ["-p", "p", "-f", `${url}#main:app`], env)
  expect(stderr).toBe("")
  expect((JSON.parse(stdout) as Model).services.a).toMatchObject({ image: "from-git" })
  const outside = await config(root, ["-p", "p", "-f", `${url}#main:../../etc`], env)
  expect(outside.stderr).toContain("leads out of the repository")
})
