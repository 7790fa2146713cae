/** The secrets of a container: its own copies, which no layer, archive or document holds. */
import { chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { InvalidArgument } from "../base/errors.ts"
import type { SecretRequest } from "../spec/docker/secret-request.ts"
import type { OciMount } from "../spec/oci-runtime.ts"
import { MountFlag, mountAt } from "../sys/fs/mount.ts"
import type { GivenFile, GivenSecret, ResolvedOptions } from "./container.ts"
import type { ContainerDeps } from "./deps.ts"
import { runDirectory, stateDirectory } from "./paths.ts"
import type { ContainerRecord } from "./record.ts"

const DIRECTORY = "/run/secrets"

/** Those that `options` ask for, then the files that come with them. Undefined: none. Throws NotFound, InvalidArgument for two at one place. */
export async function resolveSecrets(
  deps: ContainerDeps,
  { secrets = [] }: ResolvedOptions,
  files: readonly GivenFile[] = [],
): Promise<GivenSecret[] | undefined> {
  if (secrets.length + files.length === 0) return undefined
  const places = new Set<string>()
  const claim = (place: string): void => {
    if (places.has(place))
      throw new InvalidArgument(`two secrets are to be at "${place}"`, {
        field: "secrets",
        hint: "give one another target",
      })
    places.add(place)
  }
  const given = await ofStore(deps, secrets)
  for (const secret of given) claim(secret.kind === "env" ? secret.variable : secretPath(secret.target))
  for (const { target } of files) claim(secretPath(target))
  return [
    ...given,
    ...files.map(
      ({ name, target, uid, gid, mode }) =>
        ({ kind: "mount", id: "", name, source: name, target, uid, gid, mode }) as const,
    ),
  ]
}

async function ofStore(deps: ContainerDeps, secrets: readonly SecretRequest[]): Promise<GivenSecret[]> {
  if (secrets.length === 0) return []
  const known = await deps.secrets()
  return secrets.map((request) => {
    const { id, name } = known.get(request.source)
    return { ...request, id, name }
  })
}

/** Where a secret's file is in the container. Pure. */
function secretPath(target: string): string {
  return target.startsWith("/") ? target : `${DIRECTORY}/${target}`
}

/** Copies what was asked for into the container's own state, which goes with it; `files` are the last ones of `secrets`. Safe to repeat. */
export async function keepSecrets(
  deps: ContainerDeps,
  id: string,
  secrets: readonly GivenSecret[] | undefined,
  files: readonly GivenFile[] = [],
): Promise<void> {
  if (secrets === undefined) return
  const directory = keptDirectory(deps, id)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const fromStore = secrets.slice(0, secrets.length - files.length)
  if (fromStore.length > 0) {
    const known = await deps.secrets()
    for (const [index, secret] of fromStore.entries())
      writeFileSync(`${directory}/${index}`, known.read(secret.id), { mode: 0o600 })
  }
  for (const [index, { data }] of files.entries())
    writeFileSync(`${directory}/${fromStore.length + index}`, data, { mode: 0o600 })
}

/** Puts those that are files onto a tmpfs of the container's, and says how to bind them. */
export function secretMounts(deps: ContainerDeps, { id, spec }: ContainerRecord): OciMount[] {
  const files = [...(spec.secrets ?? []).entries()].filter(([, { kind }]) => kind === "mount")
  if (files.length === 0) return []
  const directory = secretsDirectory(deps, id)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const isExecuted = files.some(([, secret]) => secret.kind === "mount" && isProgram(secret.mode))
  mountAt(directory, {
    type: "tmpfs",
    source: "skiff-secrets",
    data: ["mode=0711"],
    flags: MountFlag.noSuid | MountFlag.noDev | (isExecuted ? 0 : MountFlag.noExec),
  })
  return files.flatMap(([index, secret]) => {
    if (secret.kind !== "mount") return []
    const path = `${directory}/${index}`
    writeFileSync(path, readFileSync(`${keptDirectory(deps, id)}/${index}`), { mode: 0o600 })
    chownSync(path, secret.uid, secret.gid)
    chmodSync(path, secret.mode)
    const options = ["bind", "ro", "nosuid", "nodev", ...(isProgram(secret.mode) ? [] : ["noexec"]), "rprivate"]
    return [{ destination: secretPath(secret.target), type: "bind", source: path, options }]
  })
}

/** A script that is given so is run so. */
const isProgram = (mode: number): boolean => (mode & 0o111) !== 0

/** Those that are variables, `NAME=value`. Throws InvalidArgument where a value cannot be one. */
export function secretVariables(deps: ContainerDeps, { id, spec }: ContainerRecord): string[] {
  return [...(spec.secrets ?? []).entries()].flatMap(([index, secret]) => {
    if (secret.kind !== "env") return []
    const value = readFileSync(`${keptDirectory(deps, id)}/${index}`, "utf8")
    if (value.includes("\0"))
      throw new InvalidArgument(`secret "${secret.name}" has a NUL byte: no variable can hold it`, {
        field: "secrets",
        hint: "give it as a file",
      })
    return [`${secret.variable}=${value}`]
  })
}

/** Names below the root, without the leading slash, at which the runtime makes an empty file to bind a secret over. Pure. */
export function secretTargets({ spec }: Pick<ContainerRecord, "spec">): string[] {
  return (spec.secrets ?? []).flatMap((secret) => (secret.kind === "mount" ? [secretPath(secret.target).slice(1)] : []))
}

/** Where they are while it runs, mounted by `secretMounts`, and unmounted at the container's end. */
export function secretsDirectory(deps: Pick<ContainerDeps, "runRoot">, id: string): string {
  return `${runDirectory(deps, id)}/secrets`
}

function keptDirectory(deps: Pick<ContainerDeps, "root">, id: string): string {
  return `${stateDirectory(deps, id)}/secrets`
}
