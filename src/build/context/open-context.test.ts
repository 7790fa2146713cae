import { expect, test } from "bun:test"
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { archiveOf } from "../../archive/testdata/archives.ts"
import type { BuildContext } from "../build.ts"
import type { Executor } from "../execute/executor.ts"
import { openContext, type OpenedContext } from "./open-context.ts"
import { readDockerfile, readIgnoreFile } from "./read-dockerfile.ts"

test("a tar context is unpacked, compressed or not; its owners count, its ignore file does not", async () => {
  using lab = new ContextLab()
  const archive = archiveOf([
    { name: "Dockerfile", content: "FROM scratch\n" },
    { name: ".dockerignore", content: "d" },
    { name: "d/.wh.f", content: "no whiteout", uid: 5, mode: 0o640 },
  ])
  for (const bytes of [archive, gzipSync(archive)]) {
    const context = await lab.open({ kind: "tar", path: lab.file("context.tar", bytes) })
    const { path, keepsOwners } = context
    expect(readFileSync(join(path, "d/.wh.f"), "utf8")).toBe("no whiteout")
    expect([statSync(join(path, "d/.wh.f")).uid, statSync(join(path, "d/.wh.f")).mode & 0o777]).toEqual([5, 0o640])
    expect([keepsOwners, readIgnoreFile({ ignoreFile: undefined }, context, {})]).toEqual([true, undefined])
  }
})

test.each([
  [{ name: "../canary", content: "x" }],
  [{ name: "/abs/../../canary", content: "x" }],
  [{ name: "l", type: "hardlink" as const, linkName: "../../canary" }],
])("a tar context leads nowhere outside: %j", async (entry) => {
  using lab = new ContextLab()
  const tar = lab.file("context.tar", archiveOf([entry]))
  await expect(lab.open({ kind: "tar", path: tar })).rejects.toMatchObject({ code: "InvalidArgument" })
  expect(readFileSync(lab.canary, "utf8")).toBe("secret")
})

test("files below a link of a tar context land inside, or nowhere", async () => {
  using lab = new ContextLab()
  const tar = archiveOf([
    { name: "out", type: "symlink", linkName: lab.directory },
    { name: "out/canary", content: "changed" },
  ])
  await lab.open({ kind: "tar", path: lab.file("context.tar", tar) }).catch(() => {})
  expect(readFileSync(lab.canary, "utf8")).toBe("secret")
})

test("a URL may give an archive, or a Dockerfile alone", async () => {
  using lab = new ContextLab()
  lab.answer = gzipSync(archiveOf([{ name: "f", content: "f" }]))
  const archive = await lab.open({ kind: "http", url: "http://x/context.tar.gz" })
  expect(readFileSync(join(archive.path, "f"), "utf8")).toBe("f")
  lab.answer = Buffer.from("FROM scratch\n")
  const text = await lab.open({ kind: "http", url: "http://x/Dockerfile" })
  expect(readDockerfile({ dockerfile: undefined }, text).text).toBe("FROM scratch\n")
})

test("a directory that is none is named", async () => {
  using lab = new ContextLab()
  await expect(lab.open({ kind: "directory", path: join(lab.directory, "none") })).rejects.toMatchObject({
    code: "NotFound",
  })
})

// CVE-2022-4122, buildah#6861
test.each(["Dockerfile", "Containerfile", ".dockerignore", "Dockerfile.dockerignore"])(
  "%s as a link shows nothing of the host",
  (name) => {
    using lab = new ContextLab()
    const context = join(lab.directory, "context")
    mkdirSync(context)
    if (name.endsWith("ignore")) writeFileSync(join(context, "Dockerfile"), "FROM scratch\n")
    for (const target of [lab.canary, "../canary", "/proc/self/environ"]) {
      rmSync(join(context, name), { force: true })
      symlinkSync(target, join(context, name))
      const read = (): unknown => {
        const found = readDockerfile({ dockerfile: undefined }, { path: context })
        return [found, readIgnoreFile({ ignoreFile: undefined }, { path: context, isDirectory: true }, found)]
      }
      let told = ""
      try {
        told = JSON.stringify(read())
      } catch (error) {
        told = String(error)
      }
      expect(told).not.toContain("secret")
      expect(told).not.toContain("PATH=")
    }
  },
)

test("a Dockerfile that is a FIFO or a directory is an error at once", async () => {
  using lab = new ContextLab()
  mkdirSync(join(lab.directory, "Dockerfile"))
  expect(() => readDockerfile({ dockerfile: undefined }, { path: lab.directory })).toThrow("cannot be read")
  Bun.spawnSync(["mkfifo", join(lab.directory, "pipe")])
  expect(() => readDockerfile({ dockerfile: { pathInContext: "pipe" } }, { path: lab.directory })).toThrow(
    "cannot be read",
  )
})

test("the ignore file beside the Dockerfile comes first, then the directory's", () => {
  using lab = new ContextLab()
  const found = { text: "", name: "D", pathInContext: "D" }
  const excludes = (name: string): boolean | undefined =>
    readIgnoreFile({ ignoreFile: undefined }, { path: lab.directory, isDirectory: true }, found)?.excludes(name)
  expect(excludes("a")).toBeUndefined()
  writeFileSync(join(lab.directory, ".dockerignore"), "a\n")
  expect([excludes("a"), excludes("b")]).toEqual([true, false])
  writeFileSync(join(lab.directory, "D.dockerignore"), "b\n")
  expect([excludes("a"), excludes("b")]).toEqual([false, true])
})

class ContextLab implements Disposable {
  readonly directory = mkdtempSync("/tmp/skiff-context-")
  readonly canary = join(this.directory, "canary")
  answer: Uint8Array = Buffer.alloc(0)
  #count = 0

  constructor() {
    writeFileSync(this.canary, "secret")
  }

  file(name: string, bytes: Uint8Array): string {
    const path = join(this.directory, name)
    writeFileSync(path, bytes)
    return path
  }

  open(context: BuildContext): Promise<OpenedContext> {
    return openContext(context, {
      executor: {
        download: async (_url: string, directory: string) => {
          writeFileSync(join(directory, "download"), this.answer)
          return "download"
        },
      } as Partial<Executor> as Executor,
      makeDirectory: (name) => {
        const path = join(this.directory, `${this.#count++}-${name}`)
        mkdirSync(path)
        return path
      },
      work: { onLog: () => {}, onProgress: () => {} },
    })
  }

  [Symbol.dispose](): void {
    if (existsSync(this.directory)) rmSync(this.directory, { recursive: true })
  }
}
