import type { MountRequest } from "../../spec/docker/mount-request.ts"
import type { Flags } from "../flag.ts"
import { localName } from "./results.ts"

/**
 * What podman does where nothing is said and docker does nothing: proxies of the caller, a line in passwd for an unknown number, writable
 * places in a read-only container, systemd where the program is an init, memory that others may join. `PODMAN_USERNS` as podman-run(1)
 * has it. Pure.
 */
export function withPodmanDefaults(
  name: string,
  flags: Flags,
  env: Readonly<Record<string, string | undefined>>,
): Flags {
  if (name === "volume prune") return withInitial(flags, { all: true })
  if (name === "volume create") return withInitial(flags, { ignore: false })
  if (name === "image build") return withLayersOf(env, withLocalTags(flags))
  if (name === "container cp") return withInitial(flags, COPY)
  if (name !== "container run" && name !== "container create") return flags
  const userns = env.PODMAN_USERNS
  return withInitial(withCopiedTmpfs(withoutMadeSources(flags)), {
    httpProxy: true,
    passwd: true,
    readOnlyTmpfs: true,
    systemd: "auto",
    umask: 0o022,
    ipc: { kind: "shareable" },
    engineName: "podman",
    engineHosts: true,
    existingWorkdir: true,
    ...(userns !== undefined && userns !== "" && { userns: flags.userns?.read(userns, undefined) }),
  })
}

/** Buildah's variable, where the flag is not given. */
function withLayersOf({ BUILDAH_LAYERS: layers }: Readonly<Record<string, string | undefined>>, flags: Flags): Flags {
  return layers === "false" || layers === "0" ? withInitial(flags, { layers: false }) : flags
}

/** `-v` makes no directory of the host. */
function withoutMadeSources(flags: Flags): Flags {
  const { volume } = flags
  if (volume === undefined) return flags
  const read = (text: string, before: unknown): MountRequest[] => {
    const mounts = volume.read(text, before) as MountRequest[]
    const last = mounts.at(-1)
    return last?.type === "bind" ? [...mounts.slice(0, -1), { ...last, createSource: false }] : mounts
  }
  return { ...flags, volume: { ...volume, read } }
}

/** A tmpfs begins with what the image has there, unless `notmpcopyup` is said, and programs may run from it, unless `noexec` is. */
function withCopiedTmpfs(flags: Flags): Flags {
  const copied = (name: "tmpfs" | "mount"): Flags => {
    const given = flags[name]
    if (given === undefined) return {}
    const read = (text: string, before: unknown): MountRequest[] =>
      (given.read(text, before) as MountRequest[]).map((one) => (one.type === "tmpfs" ? copiesUp(one) : one))
    return { [name]: { ...given, read } }
  }
  return { ...flags, ...copied("tmpfs"), ...copied("mount") }
}

function copiesUp(request: Extract<MountRequest, { type: "tmpfs" }>): MountRequest {
  const { options = [] } = request
  const isSaid = options.includes("tmpcopyup") || options.includes("notmpcopyup")
  const runs = options.includes("exec") || options.includes("noexec")
  return { ...request, options: [...options, ...(isSaid ? [] : ["tmpcopyup"]), ...(runs ? [] : ["exec"])] }
}

/** What is built without a registry in its name is this host's. */
function withLocalTags(flags: Flags): Flags {
  const { tag } = flags
  if (tag === undefined) return flags
  return { ...flags, tag: { ...tag, read: (text, before) => tag.read(localName(text), before) } }
}

/** Links are followed, relative paths start where the program does, and what is copied belongs to who gets it. */
const COPY = { archive: true, archiveChowns: true, followLink: true, fromWorkdir: true }

function withInitial(flags: Flags, defaults: Readonly<Record<string, unknown>>): Flags {
  return Object.fromEntries(
    Object.entries(flags).map(([property, one]) => [
      property,
      property in defaults ? { ...one, initial: defaults[property] } : one,
    ]),
  )
}
