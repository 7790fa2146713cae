import type { Engine } from "../../engine/engine.ts"
import type { ContainerOptions } from "../../container/container.ts"
import { UsageError } from "../errors/usage-error.ts"
import { flag } from "../flag.ts"

/** Podman's flags of `run` and `create` that put a container into a pod. */
export const POD_MEMBER_FLAGS = {
  pod: flag.string('Run the container in a pod ("new:NAME" makes it)', "pod", { completes: "pods" }),
  podIdFile: flag.string("Read the pod's ID from the file", "file"),
}

/** Of `create` alone: who runs an init container by itself waits for no pod. */
export const INIT_CONTAINER_FLAGS = {
  initCtr: flag.choice(
    ["always", "once"],
    "Make it an init container of its pod: run before the others, always or once",
  ),
}

interface MemberFlags {
  pod: string | undefined
  podIdFile: string | undefined
  initCtr?: "always" | "once" | undefined
}

const NEW = "new:"

/**
 * `options` as those of a container in the pod that the flags name; unchanged where they name none. With `new:` the pod is made, and
 * has what is a pod's to have (host name, networks, ports). Disposed before `keep`, such a pod goes again while it is empty.
 */
export async function inPodOf(engine: Engine, flags: MemberFlags, options: ContainerOptions): Promise<Joined> {
  const { podIdFile, initCtr } = flags
  if (flags.pod !== undefined && podIdFile !== undefined)
    throw new UsageError("cannot specify both --pod and --pod-id-file")
  const name = podIdFile === undefined ? flags.pod : (await import("../pod/choose-pods.ts")).podIdIn(podIdFile)
  if (initCtr !== undefined && !name) throw new UsageError("must specify pod value with init-ctr")
  if (!name) return new Joined(options)
  const pods = await engine.pods()
  const own = initCtr === undefined ? options : { ...options, initContainer: initCtr }
  if (!name.startsWith(NEW)) return new Joined(await pods.containerOptions(name, own))
  const podName = name.slice(NEW.length)
  if (podName === "") throw new UsageError("new pod name must be at least one character")
  const { hostname, network, networks, ports, address, macAddress, dns, dnsSearch, dnsOptions, extraHosts, ...rest } =
    own
  const parts = { hostname, network, networks, ports, address, macAddress, dns, dnsSearch, dnsOptions, extraHosts }
  const given = Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined))
  const { id } = await pods.create({ ...given, name: podName })
  // a program that could not be run leaves its container, and that its pod
  const undo = async (): Promise<void> => {
    if ((await pods.get(id)).containers.length === 0) await pods.remove(id)
  }
  return new Joined(await pods.containerOptions(id, rest), undo)
}

/** Options of a container, and the pod that was made for it. */
class Joined implements AsyncDisposable {
  readonly options: ContainerOptions
  #undo: (() => Promise<unknown>) | undefined

  constructor(options: ContainerOptions, undo?: () => Promise<unknown>) {
    this.options = options
    this.#undo = undo
  }

  /** The container is there: its pod stays. */
  keep(): void {
    this.#undo = undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#undo?.()
  }
}
