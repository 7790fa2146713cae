import type { ContainerOptions, StartedContainer, Containers } from "../../container/container.ts"
import { log } from "../../base/log.ts"
import { flag, type FlagValues } from "../flag.ts"

/** Where a container finds the socket of the service manager. */
const SOCKET_INSIDE = "/run/notify/notify.sock"

/** Podman's `--sdnotify`. */
export const SDNOTIFY_FLAGS = {
  sdnotify: flag.choice(
    ["container", "conmon", "healthy", "ignore"],
    'Who tells the service manager (NOTIFY_SOCKET) that it is ready ("container", "conmon", "healthy", "ignore")',
  ),
}

type Sdnotify = FlagValues<typeof SDNOTIFY_FLAGS>["sdnotify"]

/** What `--sdnotify` adds to a container: for `container`, the socket itself. */
export function withSdnotify(options: ContainerOptions, { sdnotify }: { sdnotify?: Sdnotify }): ContainerOptions {
  if (sdnotify === undefined) return options
  const socket = process.env.NOTIFY_SOCKET
  // an abstract one is there for the host's network alone
  if (sdnotify !== "container" || socket === undefined || !socket.startsWith("/")) return { ...options, sdnotify }
  return {
    ...options,
    sdnotify,
    env: [...(options.env ?? []), `NOTIFY_SOCKET=${SOCKET_INSIDE}`],
    mounts: [
      ...(options.mounts ?? []),
      { type: "bind", source: socket, target: SOCKET_INSIDE, readOnly: false, createSource: false },
    ],
  }
}

/** Tells the service manager that called us, when there is one, which process to follow, and when it is ready. */
export async function notifyStarted(containers: Containers, { container }: StartedContainer): Promise<void> {
  const socket = process.env.NOTIFY_SOCKET
  const { state, options, id } = container
  const policy = options.sdnotify
  if (!socket || policy === undefined || policy === "ignore" || state.status !== "running") return
  const { notifyServiceManager } = await import("../../sys/net/notify-socket.ts")
  const tell = (message: string): void => {
    try {
      notifyServiceManager(socket, message)
    } catch (error) {
      log.warn("the service manager cannot be told", { socket, reason: String(error) })
    }
  }
  tell(`MAINPID=${state.monitorPid}`)
  if (policy === "healthy") await containers.waitForState(id, ["healthy", "exited"])
  if (policy !== "container") tell("READY=1")
}
