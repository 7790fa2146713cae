import { chmodSync, mkdirSync, renameSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import type { Operation } from "../plan/definition.ts"
import type { Materials } from "../attest/materials.ts"
import type { Source, WorkContext, Executor } from "../execute/executor.ts"

/** What the files of contexts, URLs and repositories are found with. */
export interface MakeTreeOptions {
  executor: Executor
  makeDirectory(name: string): string
  context(name: string): Promise<Source>
  work: WorkContext
  /** Receives what was fetched, where somebody wants to know. */
  materials?: Materials
}

/** The files of a vertex that gives no layers: a context, a download, a clone, here-documents. */
export async function makeTree(operation: Operation, options: MakeTreeOptions): Promise<Source> {
  const { executor, makeDirectory, work, materials } = options
  switch (operation.kind) {
    case "context":
      return await options.context(operation.name)
    case "http": {
      const path = makeDirectory("http")
      const name = await executor.download(operation.url, path, operation.checksum, work)
      await materials?.addFile(operation.url, join(path, name))
      const wanted = operation.fileName ?? name
      if (wanted !== name) renameSync(join(path, name), join(path, wanted))
      return { path, keepsOwners: false }
    }
    case "git": {
      const path = makeDirectory("git")
      const { url, keepGitDir, checksum, submodules } = operation
      const { commit } = await executor.clone(url, path, { keepGitDir, checksum, submodules }, work)
      materials?.addGit(url, commit)
      return { path, keepsOwners: false }
    }
    case "inline":
      return { path: writeInline(makeDirectory("inline"), operation), keepsOwners: false }
    default:
      throw new Error(`unreachable: "${operation.kind}" gives layers`)
  }
}

function writeInline(path: string, { files, mode = 0o644 }: Operation & { kind: "inline" }): string {
  for (const [name, text] of Object.entries(files)) {
    const file = join(path, join("/", name))
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
    chmodSync(file, mode)
  }
  return path
}
