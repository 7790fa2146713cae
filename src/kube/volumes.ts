import type { ContainerDetails, MountPoint } from "../container/container.ts"
import { hostVolumeName, kubeName } from "./names.ts"

/** What a container mounts, as its part of the pod, and what the pod has for it. */
export interface KubeVolumes {
  mounts: object[]
  volumes: { name: string; [source: string]: unknown }[]
}

/** Volumes and mounts of a container. `isFile`: whether a path of the host is a file. Pure but for that. */
export function volumesOf(
  { mounts, secrets }: Pick<ContainerDetails, "mounts" | "secrets">,
  isFile: (path: string) => boolean,
): KubeVolumes {
  const pairs = [
    ...mounts
      .filter(({ anonymous, type }) => anonymous !== true && type !== "devpts")
      .map((mount, index) => volumeOf(mount, index, isFile)),
    ...secrets.flatMap((secret) => (secret.kind === "mount" ? [secretVolume(secret)] : [])),
  ]
  return { mounts: pairs.map(({ mount }) => mount), volumes: pairs.map(({ volume }) => volume) }
}

interface Pair {
  mount: object
  volume: { name: string; [source: string]: unknown }
}

function volumeOf(mount: MountPoint, index: number, isFile: (path: string) => boolean): Pair {
  const { type, target, source, name: volumeName = "" } = mount
  const isReadOnly = mount.readOnly ? true : undefined
  if (type === "tmpfs") {
    const name = `${kubeName(target.slice(1).replaceAll("/", "-"))}-tmpfs`
    return {
      mount: { mountPath: target, name, readOnly: isReadOnly },
      volume: { name, emptyDir: { medium: "Memory" } },
    }
  }
  if (type === "volume") {
    const name = `${kubeName(volumeName)}-pvc`
    const claim = { claimName: kubeName(volumeName) }
    const subPath = mount.subpath
    return {
      mount: { mountPath: target, name, readOnly: isReadOnly, ...(subPath === undefined ? {} : { subPath }) },
      volume: { name, persistentVolumeClaim: claim },
    }
  }
  if (type === "image") {
    const name = kubeName(`image-${index}`)
    const subPath = mount.subpath
    return {
      mount: { mountPath: target, name, readOnly: isReadOnly, ...(subPath === undefined ? {} : { subPath }) },
      volume: { name, image: { reference: source } },
    }
  }
  const name = hostVolumeName(source, index)
  const hostPath = { path: source, type: isFile(source) ? "File" : "Directory" }
  return { mount: { mountPath: target, name, readOnly: isReadOnly }, volume: { name, hostPath } }
}

/** The key of a secret is its name, as `secretKeyRef` says it of variables. */
function secretVolume(secret: { name: string; target: string; mode: number }): Pair {
  const name = `${kubeName(secret.name)}-secret`
  const mountPath = secret.target.startsWith("/") ? secret.target : `/run/secrets/${secret.target}`
  const item = { key: secret.name, path: secret.name, mode: secret.mode }
  return {
    mount: { mountPath, name, subPath: secret.name, readOnly: true },
    volume: { name, secret: { secretName: kubeName(secret.name), items: [item] } },
  }
}
