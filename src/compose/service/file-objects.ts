/** Secrets and configs: files that a container finds, from the host, the environment, the project's file, or the store of secrets. */
import { readFileSync } from "node:fs"
import type { ContainerOptions, GivenFile } from "../../container/container.ts"
import type { MountRequest } from "../../spec/docker/mount-request.ts"
import type { SecretRequest } from "../../spec/docker/secret-request.ts"
import { sha256Hex } from "../../sys/sha256.ts"
import type { FileObject, FileReference } from "../project.ts"
import { atKey, cannot, wrongValue } from "./at-key.ts"
import { keyOf, type ServiceContext } from "./service-context.ts"

const SECRETS = "/run/secrets/"
const DEFAULT_MODE = 0o444

/** What a container gets of them. */
export interface FileOptions {
  /** Files of the host as they are, and stay. */
  binds: readonly MountRequest[]
  given: readonly GivenFile[]
  stored: readonly SecretRequest[]
}

/**
 * A file of the host is bound as it is; with `uid`, `gid` or `mode` its bytes are copied, as those of the environment and of `content` always
 * are, so that a read-only container has them, too. Throws InvalidArgument, Unsupported, errno errors.
 */
export function fileOptions(context: ServiceContext): FileOptions {
  const { project, service } = context
  const binds: MountRequest[] = []
  const given: GivenFile[] = []
  const stored: SecretRequest[] = []
  const kinds = [
    ["secrets", service.secrets ?? [], project.secrets, SECRETS],
    ["configs", service.configs ?? [], project.configs, "/"],
  ] as const
  for (const [kind, references, objects, base] of kinds)
    for (const [index, reference] of references.entries()) {
      const key = keyOf(context, kind, index)
      const object = objects[reference.source]
      if (object === undefined) throw wrongValue(key, `undefined ${kind.slice(0, -1)} "${reference.source}"`)
      const target = targetOf(reference, base, key)
      const owner = ownerOf(reference, key)
      const name = object.name ?? reference.source
      if (object.external === true) stored.push({ kind: "mount", source: name, target, ...owner })
      else if (object.driver !== undefined || object.template_driver !== undefined)
        throw cannot(`${kind}.${reference.source}`, "drivers of secrets are those of a swarm", "name a file")
      else if (object.file !== undefined && !hasOwner(reference))
        binds.push({ type: "bind", source: object.file, target, readOnly: true, createSource: false })
      else given.push({ name, target, ...owner, data: bytesOf(context, object, `${kind}.${reference.source}`) })
    }
  return { binds, given, stored }
}

/** As options of a container. */
export function withFiles(
  mounts: readonly MountRequest[],
  { binds, given, stored }: FileOptions,
): Partial<ContainerOptions> {
  return {
    mounts: [...mounts, ...binds],
    ...(given.length > 0 && { givenFiles: given }),
    ...(stored.length > 0 && { secrets: stored }),
  }
}

/** Of all that is copied: a container of another digest has old bytes. "": nothing is. */
export function digestOfFiles({ given }: FileOptions): string {
  if (given.length === 0) return ""
  return sha256Hex(...given.flatMap(({ target, data }) => [`${target}\0${data.length}\0`, data]))
}

const hasOwner = ({ uid, gid, mode }: FileReference): boolean =>
  uid !== undefined || gid !== undefined || mode !== undefined

function bytesOf({ project }: ServiceContext, object: FileObject, key: string): Uint8Array {
  if (object.content !== undefined) return Buffer.from(object.content)
  if (object.file !== undefined) return readFileSync(object.file)
  if (object.environment !== undefined) {
    const value = project.environment[object.environment]
    if (value !== undefined) return Buffer.from(value)
    throw wrongValue(
      key,
      `environment variable "${object.environment}" required by file "${object.name ?? key}" is not set`,
    )
  }
  throw wrongValue(key, "it has no source", "give it a file, an environment variable or a content")
}

function targetOf({ source, target = source }: FileReference, base: string, key: string): string {
  const path = target.startsWith("/") ? target : base + target
  if (path.endsWith("/") || path.split("/").some((word) => word === ".." || word === ".") || path.includes("\0"))
    throw wrongValue(`${key}.target`, `"${target}" is no path of a file`)
  return path
}

function ownerOf({ uid, gid, mode }: FileReference, key: string): Pick<GivenFile, "uid" | "gid" | "mode"> {
  const id = (text: string | undefined, name: string): number =>
    atKey(`${key}.${name}`, () => {
      if (!/^\d{1,10}$/.test(text ?? "0")) throw wrongValue(`${key}.${name}`, `"${text}" is no number`)
      return Number(text ?? 0)
    })
  if (mode !== undefined && !/^(?:0o)?[0-7]{1,5}$/.test(mode))
    throw wrongValue(`${key}.mode`, `"${mode}" is no octal number`)
  return {
    uid: id(uid, "uid"),
    gid: id(gid, "gid"),
    mode: mode === undefined ? DEFAULT_MODE : Number.parseInt(mode.replace("0o", ""), 8),
  }
}
