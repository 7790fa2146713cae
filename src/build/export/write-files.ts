import { mkdirSync } from "node:fs"
import { open } from "node:fs/promises"
import { join } from "node:path"
import type { Bytes } from "../../base/bytes.ts"
import { formatPlatform } from "../../spec/platform.ts"
import { copyTree } from "../../sys/copy-tree.ts"
import type { BuildOutput } from "../build.ts"
import type { ExportContext, Solved } from "./export-results.ts"

/** The files of the results, as they are: into a folder, or as one tar. Of several platforms each has a folder of its own. */
export async function writeFiles(
  solved: readonly Solved[],
  output: BuildOutput & { type: "local" | "tar" },
  { host, runner, records }: Pick<ExportContext, "host" | "runner" | "records">,
): Promise<void> {
  if (output.type === "local") {
    for (const { plan, result } of solved) {
      const target =
        solved.length > 1 ? join(output.path, formatPlatform(plan.platform).replaceAll("/", "_")) : output.path
      mkdirSync(target, { recursive: true })
      const { path } = await runner.view(result)
      copyTree(path, "/", target, "/", { owner: { uid: 0, gid: 0 }, keepTop: true })
    }
    return
  }
  const [first] = solved
  // another build may be giving the snapshot its final name
  const tar = records.transaction(() => {
    const top = first && runner.topSnapshot(first.result)
    return top === undefined ? emptyTar() : host.snapshots.diff(top, { since: "nothing" })
  })
  await writeBytes(output.path, tar)
}

async function* emptyTar(): Bytes {
  yield Buffer.alloc(1024)
}

/** Into a file, or into an open descriptor, which stays open. */
export async function writeBytes(path: string | number, bytes: Bytes): Promise<void> {
  if (typeof path === "number") return await writeAll(path, bytes)
  await using file = await open(path, "w", 0o644)
  for await (const chunk of bytes) await file.writeFile(chunk)
}

async function writeAll(fd: number, bytes: Bytes): Promise<void> {
  const { createWriteStream } = await import("node:fs")
  const { pipeline } = await import("node:stream/promises")
  await pipeline(bytes, createWriteStream("", { fd, autoClose: false }))
}
