import type { MountPoint } from "../container/container.ts"

/** Podman's InspectMount: files of the host and volumes; what is made for the container is told elsewhere. Pure. */
export function podmanMountDocuments(mounts: readonly MountPoint[]): object[] {
  return shown(mounts).map(mountDocument)
}

function mountDocument(mount: MountPoint): object {
  const { type, name, source, target, readOnly, volume, subpath } = mount
  return {
    Type: type,
    ...(name === undefined ? {} : { Name: name }),
    Source: source,
    Destination: target,
    Driver: type === "volume" ? (volume?.driver ?? "local") : "",
    Mode: "",
    Options: [...(mount.options ?? []), ...(mount.chown === true ? ["U"] : []), bindWord(mount)],
    RW: !readOnly,
    Propagation: mount.propagation ?? "rprivate",
    ...(subpath === undefined ? {} : { SubPath: subpath }),
  }
}

/** `HostConfig.Binds`: `SOURCE:TARGET:WORDS`, of all that was not made for the container. Pure. */
export function podmanBinds(mounts: readonly MountPoint[]): string[] {
  return shown(mounts)
    .filter(({ anonymous }) => anonymous !== true)
    .map((mount) => {
      const { name, source, target, readOnly, propagation = "rprivate", options = [] } = mount
      const words = [readOnly ? "ro" : "rw", propagation, ...options, bindWord(mount)]
      return `${name ?? source}:${target}:${words.join(",")}`
    })
}

const bindWord = ({ recursion }: MountPoint): string => (recursion === "none" ? "bind" : "rbind")

function shown(mounts: readonly MountPoint[]): MountPoint[] {
  return mounts.filter(({ type }) => type === "bind" || type === "volume")
}
