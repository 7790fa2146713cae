import { readdirSync } from "node:fs"
import { join } from "node:path"
import * as v from "valibot"
import { FailedPrecondition, NotFound, PermissionDenied } from "../../base/errors.ts"
import type { Images } from "../../image/image.ts"
import { absent, checkDocument, parseJson } from "../../spec/parse-document.ts"
import { rootlessGid, rootlessUid } from "../../sys/fs/paths.ts"
import { findProgram } from "../../sys/host.ts"
import { run } from "../../sys/process/process.ts"
import { directoryTar, isReadable } from "./directory-tar.ts"
import { parseForeignContainer, type ForeignContainer } from "./foreign-container.ts"
import { podmanNetwork } from "./foreign-network.ts"
import type { ForeignVolume, MigrationSource } from "./source.ts"

const map = absent(v.record(v.string(), v.string()))
const volumes = v.array(
  v.object({
    Name: v.string(),
    Driver: v.string(),
    Mountpoint: absent(v.string()),
    Labels: map,
    Options: map,
    Anonymous: absent(v.boolean()),
  }),
)
const changes = v.object({ added: absent(v.array(v.string())), deleted: absent(v.array(v.string())) })
/** Of one call: its answer has a megabyte at most. */
const BATCH = 20
/** Made by podman itself. */
const DEFAULT_NETWORK = "podman"

/** Podman of this user: images by its store's files, the rest by what the program says. Throws NotFound where there is no store. */
export async function podmanSource(images: Images, signal?: AbortSignal): Promise<MigrationSource> {
  const store = await images.podmanStore()
  return {
    engine: "podman",
    async images() {
      return store.images.map(({ id, names }) => ({
        id: `sha256:${id}`,
        names,
        place: `containers-storage:[${store.driver}@${store.graphRoot}]${id}`,
      }))
    },
    async volumes() {
      if (findProgram("podman") === undefined) return volumesOnDisk(store.graphRoot, signal)
      const names = linesOf(await podman(["volume", "ls", "--quiet"], signal))
      const found = checkDocument(volumes, await inspected(["volume", "inspect"], names, signal), "podman's volumes")
      return found.map((one) =>
        volumeAt({ ...one, Labels: one.Labels ?? {}, Options: one.Options ?? {} }, one.Mountpoint ?? "", signal),
      )
    },
    async networks() {
      const names = linesOf(await podman(["network", "ls", "--quiet"], signal)).filter(
        (name) => name !== DEFAULT_NETWORK,
      )
      return (await inspected(["network", "inspect"], names, signal)).map(podmanNetwork)
    },
    async containers() {
      const ids = linesOf(await podman(["ps", "--all", "--quiet", "--no-trunc"], signal))
      return (await inspected(["container", "inspect"], ids, signal))
        .map(parseForeignContainer)
        .filter(({ IsInfra }) => !IsInfra)
    },
    ownFiles: async (container) => await ownFiles(container, signal),
  }
}

async function ownFiles({ Id }: ForeignContainer, signal?: AbortSignal): Promise<number> {
  const text = await podman(["diff", "--format", "json", Id], signal)
  const { added = [], deleted = [] } = checkDocument(
    changes,
    parseJson(Buffer.from(text), "podman's changes"),
    "podman's changes",
  )
  return added.length + deleted.length
}

function volumeAt(
  one: {
    Name: string
    Driver: string
    Labels: Record<string, string>
    Options: Record<string, string>
    Anonymous?: boolean | undefined
  },
  path: string,
  signal?: AbortSignal,
): ForeignVolume {
  // podman tells the owner among the options, and the files have it anyway
  const { UID: _, GID: __, ...options } = one.Options
  return {
    name: one.Name,
    driver: one.Driver,
    labels: one.Labels,
    options,
    anonymous: one.Anonymous ?? false,
    async read() {
      if (!isReadable(path)) throw new PermissionDenied(`its files at "${path}" cannot be read`)
      return directoryTar(path, signal)
    },
  }
}

/** Without podman nobody knows their labels. */
function volumesOnDisk(graphRoot: string, signal?: AbortSignal): ForeignVolume[] {
  const directory = join(graphRoot, "volumes")
  if (!isReadable(directory)) return []
  const names = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  return names.map(({ name }) =>
    volumeAt({ Name: name, Driver: "local", Labels: {}, Options: {} }, join(directory, name, "_data"), signal),
  )
}

async function inspected(verb: readonly string[], names: readonly string[], signal?: AbortSignal): Promise<unknown[]> {
  const found: unknown[] = []
  for (let at = 0; at < names.length; at += BATCH) {
    const text = await podman([...verb, "--", ...names.slice(at, at + BATCH)], signal)
    const documents = parseJson(Buffer.from(text), `podman ${verb.join(" ")}`)
    if (Array.isArray(documents)) found.push(...(documents as unknown[]))
  }
  return found
}

/** Throws NotFound where it is not installed, FailedPrecondition with its words. */
async function podman(words: readonly string[], signal?: AbortSignal): Promise<string> {
  const program = findProgram("podman")
  if (program === undefined)
    throw new NotFound("podman is not installed: only its images and volumes can be moved, without labels", {
      hint: "install podman for the time being",
    })
  const { code, stdout, stderr } = await run([program, ...words], { env: environment(), ...(signal && { signal }) })
  if (code === 0) return stdout
  throw new FailedPrecondition(`podman ${words.slice(0, 2).join(" ")} failed: ${stderr.trim().slice(0, 500)}`)
}

/** In our user namespace, which is like its own, podman of an ordinary user goes on as it does in `podman unshare`. */
function environment(): Record<string, string | undefined> {
  const uid = rootlessUid()
  if (uid === undefined) return process.env
  const ids = { _CONTAINERS_ROOTLESS_UID: String(uid), _CONTAINERS_ROOTLESS_GID: String(rootlessGid() ?? uid) }
  return { ...process.env, _CONTAINERS_USERNS_CONFIGURED: "done", ...ids }
}

function linesOf(text: string): string[] {
  return text.split("\n").filter(Boolean)
}
