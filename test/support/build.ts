/** Contexts of builds, and what came out of one. */
import { chmodSync, chownSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import type { Outcome, Skiff } from "./skiff.ts"
import { user } from "./user.ts"

export type ContextFile = string | Uint8Array | { mode: number; content: string } | { link: string }
export type ContextFiles = Readonly<Record<string, ContextFile>>

/** A directory of the user with these files. */
export function makeContext(skiff: Skiff, files: ContextFiles): string {
  const directory = mkdtempSync(join(skiff.directory, "context-"))
  own(directory)
  for (const [name, file] of Object.entries(files)) {
    const path = join(directory, name)
    makeDirectories(dirname(path), directory)
    if (typeof file === "string" || file instanceof Uint8Array) writeFileSync(path, file)
    else if ("link" in file) symlinkSync(file.link, path)
    else {
      writeFileSync(path, file.content)
      chmodSync(path, file.mode)
    }
    if (typeof file === "string" || file instanceof Uint8Array || "content" in file) own(path)
  }
  return directory
}

function makeDirectories(path: string, end: string): void {
  if (path === end || path.length < end.length) return
  makeDirectories(dirname(path), end)
  mkdirSync(path, { recursive: true })
  own(path)
}

function own(path: string): void {
  chownSync(path, user.uid, user.gid)
}

/** Builds a context made of `files`; whatever comes of it. */
export function build(skiff: Skiff, files: ContextFiles, ...flags: string[]): Promise<Outcome> {
  return skiff.run(["build", "--progress", "plain", ...flags, makeContext(skiff, files)])
}

/** Builds, expects success, gives the image's id. */
export async function built(skiff: Skiff, files: ContextFiles, ...flags: string[]): Promise<string> {
  return await skiff.ok("build", "-q", ...flags, makeContext(skiff, files))
}

/** Builds a Dockerfile that needs no other files, and runs a script in what came out of it. */
export async function runBuilt(
  skiff: Skiff,
  dockerfile: string,
  script: string,
  files: ContextFiles = {},
): Promise<string> {
  const id = await built(skiff, { Dockerfile: dockerfile, ...files })
  return await skiff.ok("run", "--rm", "--network", "none", "--entrypoint", "", id, "sh", "-c", script)
}

export interface BuiltConfig {
  architecture: string
  config: Record<string, unknown> & { Env?: string[] | null }
}

/** Docker's inspect document of an image. */
export async function inspectImage(
  skiff: Skiff,
  name: string,
): Promise<
  Record<string, unknown> & { Config: Record<string, unknown>; RootFS: { Layers: string[] }; Created: string }
> {
  const [document] = JSON.parse(await skiff.ok("image", "inspect", name)) as [never]
  return document
}
