import type { MountRequest } from "../spec/docker/mount-request.ts"

/** Docker's `HostConfig.Mounts`: what `--mount` asked for and `-v` has no words for. Pure. */
export function mountRequestDocuments(requests: readonly MountRequest[]): object[] {
  return requests.flatMap((request): object[] => {
    const { type, target, readOnly } = request
    const common = { Type: type, Target: target, ...(readOnly ? { ReadOnly: true } : {}) }
    switch (request.type) {
      case "bind":
        if (request.createSource) return []
        return [{ ...common, Source: request.source, ...bindOptions(request) }]
      case "volume": {
        const options = volumeOptions(request)
        if (Object.keys(options).length === 0) return []
        return [
          { ...common, ...(request.source === undefined ? {} : { Source: request.source }), VolumeOptions: options },
        ]
      }
      case "image":
        return [{ ...common, Source: request.source, ...imageOptions(request) }]
      default:
        return []
    }
  })
}

/** Whether a volume is told there, and not as a bind. */
export function isAskedByMount(request: MountRequest): boolean {
  return mountRequestDocuments([request]).length > 0
}

function bindOptions({ propagation, recursion }: Extract<MountRequest, { type: "bind" }>): object {
  const options = {
    ...(propagation === undefined ? {} : { Propagation: propagation }),
    ...(recursion === "none" ? { NonRecursive: true } : {}),
    ...(recursion === "writable" ? { ReadOnlyNonRecursive: true } : {}),
    ...(recursion === "readonly" ? { ReadOnlyForceRecursive: true } : {}),
  }
  return Object.keys(options).length === 0 ? {} : { BindOptions: options }
}

function volumeOptions({ labels, driver, driverOptions, subpath }: Extract<MountRequest, { type: "volume" }>): object {
  const config = {
    ...(driver === undefined ? {} : { Name: driver }),
    ...(driverOptions === undefined ? {} : { Options: driverOptions }),
  }
  return {
    ...(labels === undefined ? {} : { Labels: labels }),
    ...(Object.keys(config).length === 0 ? {} : { DriverConfig: config }),
    ...(subpath === undefined ? {} : { Subpath: subpath }),
  }
}

function imageOptions({ subpath }: Extract<MountRequest, { type: "image" }>): object {
  return subpath === undefined ? {} : { ImageOptions: { Subpath: subpath } }
}
