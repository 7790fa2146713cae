import * as v from "valibot"
import { PermissionDenied } from "../../base/errors.ts"
import { absent, checkDocument } from "../../spec/parse-document.ts"
import { directoryTar, isReadable } from "./directory-tar.ts"
import { openDockerApi, type DockerApi } from "./docker-api.ts"
import { parseForeignContainer, type ForeignContainer } from "./foreign-container.ts"
import { dockerNetwork } from "./foreign-network.ts"
import type { ForeignVolume, MigrationSource } from "./source.ts"

const map = absent(v.record(v.string(), v.string()))
const images = v.array(v.object({ Id: v.string(), RepoTags: absent(v.array(v.string())) }))
const volumes = v.object({
  Volumes: absent(
    v.array(
      v.object({ Name: v.string(), Driver: v.string(), Mountpoint: absent(v.string()), Labels: map, Options: map }),
    ),
  ),
})
const ids = v.array(v.object({ Id: v.string() }))
const networks = v.array(v.looseObject({ Name: v.string() }))
const changes = absent(v.array(v.object({ Kind: v.number() })))

/** Docker makes these itself. */
const PREDEFINED = new Set(["bridge", "host", "none", "docker_gwbridge", "ingress"])
const UNNAMED = "<none>:<none>"
const CHANGED = 0
/** What docker labels volumes without a name with. */
const ANONYMOUS = "com.docker.volume.anonymous"

/** Docker, through its daemon. Throws Unavailable where that does not answer. */
export async function dockerSource(address: string | undefined, signal?: AbortSignal): Promise<MigrationSource> {
  const api = openDockerApi(address, signal)
  await api.json("/version")
  return {
    engine: "docker",
    daemons: { source: api.address },
    async images() {
      return checkDocument(images, await api.json("/images/json"), "docker's images").map(({ Id, RepoTags = [] }) => ({
        id: Id,
        names: RepoTags.filter((name) => name !== UNNAMED),
        place: `docker-daemon:${Id}`,
      }))
    },
    async volumes() {
      const { Volumes = [] } = checkDocument(volumes, await api.json("/volumes"), "docker's volumes")
      return Volumes.map(({ Name, Driver, Mountpoint = "", Labels = {}, Options = {} }): ForeignVolume => {
        const { [ANONYMOUS]: anonymous, ...labels } = Labels
        return {
          name: Name,
          driver: Driver,
          labels,
          options: Options,
          anonymous: anonymous !== undefined,
          read: async () => await volumeBytes(api, { name: Name, path: Mountpoint }, signal),
        }
      })
    },
    async networks() {
      const found = checkDocument(networks, await api.json("/networks"), "docker's networks")
      return found.filter(({ Name }) => !PREDEFINED.has(Name)).map(dockerNetwork)
    },
    containers: () => containersOf(api),
    async ownFiles({ Id }) {
      const found = checkDocument(changes, await api.json(`/containers/${Id}/changes`), "docker's changes") ?? []
      return found.filter(({ Kind }) => Kind !== CHANGED).length
    },
  }
}

async function containersOf(api: DockerApi): Promise<ForeignContainer[]> {
  const found = checkDocument(ids, await api.json("/containers/json?all=1"), "docker's containers")
  const containers: ForeignContainer[] = []
  for (const { Id } of found)
    containers.push(parseForeignContainer(await api.json(`/containers/${encodeURIComponent(Id)}/json`)))
  return containers.toReversed()
}

/** From its directory, which is root's; else through a container that has it, whether that runs or not. */
async function volumeBytes(api: DockerApi, { name, path }: { name: string; path: string }, signal?: AbortSignal) {
  if (path !== "" && isReadable(path)) return directoryTar(path, signal)
  for (const { Id, Mounts = [] } of await containersOf(api)) {
    const mount = Mounts.find(({ Type, Name }) => Type === "volume" && Name === name)
    if (mount !== undefined)
      return await api.bytes(`/containers/${Id}/archive?path=${encodeURIComponent(`${mount.Destination}/.`)}`)
  }
  throw new PermissionDenied(`its files at "${path}" are not yours to read, and no container of docker has them`, {
    hint: "migrate as root, or docker create -v that volume for the time being",
  })
}
