import { statSync } from "node:fs"
import { resolve } from "node:path"
import type { BakeTarget, Fields } from "../../bake/bake.ts"
import type { BuildOptions, BuildRequest } from "../../build/build.ts"
import type { FilesOfBuild } from "../build/files.ts"
import { BUILD_FLAGS, type BuildFlags } from "../build/flags.ts"
import { buildRequest } from "../build/request.ts"
import { parseFlags } from "../parse-flags.ts"

/** What the build of a target is asked for: a target says what flags of `build` say, and is read as they are. Throws as they do. */
export async function targetRequest(
  files: FilesOfBuild,
  target: BakeTarget,
  signal: AbortSignal,
): Promise<BuildOptions & Pick<BuildRequest, "tags" | "outputs">> {
  const { values } = parseFlags(BUILD_FLAGS, flagsOf(target), true)
  // safe: the values were parsed by BUILD_FLAGS
  const flags = values as unknown as BuildFlags
  const context = localPath(target.context ?? ".")
  const inline = target["dockerfile-inline"]
  const found = await files.find(context, inline === undefined ? dockerfileOf(target, context) : undefined, undefined)
  const dockerfile = inline === undefined ? {} : { dockerfile: { text: inline, name: "Dockerfile" } }
  return buildRequest({ ...found, ...dockerfile }, flags, signal)
}

/** Targets whose results it takes as contexts, by the contexts' names. */
export function linksOf({ contexts = {} }: BakeTarget): [context: string, target: string][] {
  return Object.entries(contexts).flatMap(([name, value]) =>
    value.startsWith("target:") ? [[name.toLowerCase(), value.slice("target:".length)]] : [],
  )
}

/** The words of `build` that say the same. */
export function flagsOf(target: BakeTarget): string[] {
  const contexts = Object.entries(target.contexts ?? {}).filter(([, value]) => !value.startsWith("target:"))
  const extraHosts = Object.entries(target["extra-hosts"] ?? {})
  return [
    ...repeated("build-arg", pairs(Object.entries(target.args ?? {}))),
    ...repeated("label", pairs(Object.entries(target.labels ?? {}))),
    ...repeated("build-context", pairs(contexts.map(([name, value]) => [name, localPath(value)] as const))),
    ...repeated(
      "add-host",
      extraHosts.map(([name, address]) => `${name}:${address}`),
    ),
    ...repeated(
      "tag",
      target.tags?.flatMap((tag) => tag.split(",")),
    ),
    ...repeated("platform", target.platforms),
    ...repeated("cache-from", target["cache-from"]?.map(csv)),
    ...repeated("cache-to", target["cache-to"]?.map(csv)),
    ...repeated("output", target.output?.map(csv)),
    ...repeated("secret", target.secret?.map(csv)),
    ...repeated("ssh", target.ssh?.map(sshWord)),
    ...repeated("attest", target.attest?.map(csv)),
    ...repeated("annotation", target.annotations),
    ...repeated("no-cache-filter", target["no-cache-filter"]),
    ...repeated("ulimit", target.ulimits),
    ...repeated(
      "allow",
      target.entitlements?.filter((one) => one === "network.host" || one === "security.insecure"),
    ),
    ...repeated("target", given(target.target)),
    ...repeated("network", given(target.network)),
    ...repeated("shm-size", given(target["shm-size"])),
    ...(target.pull === true ? ["--pull"] : []),
    ...(target["no-cache"] === true ? ["--no-cache"] : []),
  ]
}

function repeated(name: string, values: readonly string[] = []): string[] {
  return values.map((value) => `--${name}=${value}`)
}

function given(value: string | undefined): string[] {
  return value === undefined || value === "" ? [] : [value]
}

function pairs(entries: readonly (readonly [string, string])[]): string[] {
  return entries.map(([name, value]) => `${name}=${value}`)
}

function csv(fields: Fields): string {
  return Object.entries(fields)
    .map(([key, value]) => `${key}=${String(value)}`)
    .map((field) => (/[",\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field))
    .join(",")
}

function sshWord({ id = "default", paths }: Fields): string {
  return Array.isArray(paths) && paths.length > 0 ? `${String(id)}=${paths.join(",")}` : String(id)
}

/** `cwd://x`: as `x`, which is always taken from here. */
function localPath(word: string): string {
  return word.startsWith("cwd://") ? word.slice("cwd://".length) || "." : word
}

/** From the context; undefined: the builder looks for it by its usual names. */
function dockerfileOf({ dockerfile = "Dockerfile" }: BakeTarget, context: string): string | undefined {
  if (dockerfile === "Dockerfile") return undefined
  if (dockerfile.startsWith("cwd://")) return resolve(localPath(dockerfile))
  const isDirectory = statSync(context, { throwIfNoEntry: false })?.isDirectory() === true
  return isDirectory ? resolve(context, dockerfile) : dockerfile
}
