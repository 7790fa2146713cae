import { createWriteStream, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Unsupported } from "../../base/errors.ts"
import { dockerfileOfDirectory, readContextWord, readDockerfile } from "../../build/build.ts"
import type { BuildContext, BuildRequest } from "../../build/build.ts"
import { readText } from "../container-options.ts"
import { UsageError } from "../errors/usage-error.ts"
import { standardInput } from "../../sys/terminal/standard-input.ts"

/** Where a build reads from. */
export type BuildFiles = Pick<BuildRequest, "context" | "dockerfile" | "ignoreFile">

const TAR_BLOCK = 512
const USTAR_AT = 257

/**
 * Finds the context and the Dockerfile that words and flags name. What comes on standard input is a tar archive or a
 * Dockerfile, told apart by its first bytes. Dispose it when the build is over: it may hold a copy.
 */
export class FilesOfBuild implements Disposable {
  #directory: string | undefined

  async find(word: string, file: string | undefined, ignorefile: string | undefined): Promise<BuildFiles> {
    const ignore =
      ignorefile === undefined ? {} : { ignoreFile: { text: readText(ignorefile, "ignore file"), name: ignorefile } }
    if (word !== "-") {
      const context = readContextWord(word)
      return { context, ...ignore, ...(await this.#dockerfile(context, file)) }
    }
    if (file === "-") throw wrong("invalid argument: can't use stdin for both build context and dockerfile")
    const saved = await this.#save()
    if (!saved.isArchive) {
      if (file !== undefined)
        throw wrong(
          "standard input is a Dockerfile, and --file names another",
          "send a tar archive, or leave out one of them",
        )
      return {
        context: { kind: "empty" },
        dockerfile: { text: readDockerfile(saved.path, "-"), name: "Dockerfile" },
        ...ignore,
      }
    }
    const context: BuildContext = { kind: "tar", path: saved.path }
    return { context, ...ignore, ...(await this.#dockerfile(context, file)) }
  }

  [Symbol.dispose](): void {
    if (this.#directory !== undefined) rmSync(this.#directory, { recursive: true, force: true })
    this.#directory = undefined
  }

  async #dockerfile(
    context: BuildContext,
    file: string | undefined,
  ): Promise<Pick<BuildFiles, "dockerfile" | "ignoreFile">> {
    if (file === undefined) return {}
    if (file === "-") {
      const { path, isArchive } = await this.#save()
      if (isArchive) throw wrong("standard input is a tar archive: expected a Dockerfile")
      return { dockerfile: { text: readDockerfile(path, "-"), name: "Dockerfile" } }
    }
    if (/^https?:\/\//.test(file))
      throw new Unsupported("a Dockerfile from a URL is not supported yet", {
        hint: `curl ${file} | skiff build -f - .`,
      })
    if (context.kind !== "directory") return { dockerfile: { pathInContext: file } }
    return dockerfileOfDirectory(context.path, file)
  }

  async #save(): Promise<{ path: string; isArchive: boolean }> {
    this.#directory = mkdtempSync(join(tmpdir(), "skiff-build-"))
    const path = join(this.#directory, "stdin")
    const stream = createWriteStream(path, { mode: 0o600 })
    let head = Buffer.alloc(0)
    for await (const chunk of standardInput()) {
      if (head.length < TAR_BLOCK) head = Buffer.concat([head, chunk])
      if (!stream.write(chunk)) await new Promise((drained) => stream.once("drain", drained))
    }
    await new Promise<void>((done, failed) => stream.on("error", failed).end(done))
    if (head.length === 0) throw wrong("standard input is empty: expected a Dockerfile or a tar archive")
    return { path, isArchive: await looksLikeArchive(head) }
  }
}

/** Compressed, or a tar header: `ustar` stands in its place, or its check sum is right (a v7 archive). */
async function looksLikeArchive(head: Buffer): Promise<boolean> {
  // 3 ms of modules that no other build needs so early
  const { detectCompression } = await import("../../archive/archive.ts")
  if (detectCompression(head) !== "none") return true
  if (head.length < TAR_BLOCK) return false
  if (head.toString("latin1", USTAR_AT, USTAR_AT + 5) === "ustar") return true
  const stated = Number.parseInt(head.toString("latin1", 148, 156), 8)
  const sum = head.subarray(0, TAR_BLOCK).reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0)
  return stated === sum
}

function wrong(message: string, hint?: string): UsageError {
  return new UsageError(message, { hint })
}
