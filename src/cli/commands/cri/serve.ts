import { isAbsolute } from "node:path"
import { defaultPaths } from "../../../sys/fs/paths.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { command } from "../../command.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag } from "../../flag.ts"

const LOOPBACK = "127.0.0.1"

export default command({
  summary: "Be the runtime of a kubelet: the Container Runtime Interface on a socket",
  description:
    "Kubelet and crictl make sandboxes, containers and images here, which are the engine's own pods, containers and images.",
  args: [],
  flags: {
    listen: flag.of(
      readSocket,
      "Where to listen (default unix:///run/skiff/cri.sock; an ordinary user's is in his own /run)",
      "socket",
    ),
    network: flag.string(
      "Put sandboxes on this network (default: the one with kubelet's range, else bridge)",
      "network",
    ),
    streamAddress: flag.string(
      "Address that kubelet fetches streams of exec, attach and port-forward from (default 127.0.0.1)",
      "address",
    ),
    streamPort: flag.of(readPort, "Its port (default: any that is free)", "port"),
  },
  async run({ flags, engine, globals, out }) {
    const socket = flags.listen ?? `${globals.runroot ?? defaultPaths().runRoot}/cri.sock`
    const { serveCri } = await import("../../../cri/cri.ts")
    using interrupt = new AbortOnInterrupt()
    await using _ = await serveCri(engine, {
      socket,
      stream: { address: flags.streamAddress ?? LOOPBACK, port: flags.streamPort ?? 0 },
      network: flags.network,
    })
    out.line(`unix://${socket}`)
    await new Promise<void>((end) => interrupt.signal.addEventListener("abort", () => end(), { once: true }))
  },
})

function readSocket(text: string): string {
  const path = text.startsWith("unix://") ? text.slice("unix://".length) : text
  if (!isAbsolute(path) || /[\n\0]/.test(path)) throw new UsageError(`expected unix:///PATH, not "${text}"`)
  return path
}

function readPort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN
  if (!(port <= 65_535)) throw new UsageError(`expected a port from 0 to 65535, not "${text}"`)
  return port
}
