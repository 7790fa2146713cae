import { createServer, type Server, type Socket } from "node:net"
import {
  at,
  attachablePod,
  listAt,
  numberAt,
  POD_UID_LABEL,
  readResourceArgs,
  textAt,
  type KubeClient,
  type Tree,
} from "../../../kube/kube.ts"
import { FailedPrecondition, Unavailable } from "../../../base/errors.ts"
import type { Engine } from "../../../engine/engine.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { arg } from "../../args.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag } from "../../flag.ts"
import { kubeCommand } from "../../kube/kube-command.ts"
import { PLACE_FLAGS } from "../../kube/kube-flags.ts"
import { namespaceOf, openClient } from "../../kube/open-client.ts"

export default kubeCommand({
  summary: "Forward one or more local ports to a pod",
  args: [arg.one("POD|TYPE/NAME"), arg.some("[LOCAL_PORT:]REMOTE_PORT")],
  flags: {
    ...PLACE_FLAGS,
    address: flag.list(
      (text) => text.split(","),
      "Addresses to listen on (comma separated). Only accepts IP addresses or localhost as a value",
      "strings",
    ),
    podRunningTimeout: flag.duration("The length of time to wait until at least one pod is running"),
  },
  async run({ args: [word, ports], flags, engine, out }) {
    const client = await openClient(engine, flags)
    const namespace = namespaceOf(client, flags)
    const pod = await attachablePod(client, word, namespace)
    if (textAt(pod, "status", "phase") !== "Running")
      throw new FailedPrecondition(
        `unable to forward port because pod is not running. Current status=${textAt(pod, "status", "phase")}`,
      )
    const service = word.includes("/") ? await serviceOf(client, word, namespace) : undefined
    using interrupt = new AbortOnInterrupt()
    const addresses = flags.address.flat()
    const isLocal = client.transport.isLocal
    const joined = async (inside: number, socket: Socket): Promise<void> =>
      isLocal
        ? forward(engine, pod, inside, socket)
        : (await import("../../kube/remote-forward.ts")).forwardRemote(client, pod, inside, socket)
    const servers: Server[] = []
    try {
      for (const text of ports) {
        const { local, remote } = readPorts(text)
        const inside = portInside(pod, service, remote)
        for (const address of addresses.length > 0 ? addresses : ["127.0.0.1", "::1"]) {
          const host = address === "localhost" ? "127.0.0.1" : address
          const server = createServer(
            (socket) =>
              void handle(
                socket,
                inside,
                (to) => joined(inside, to),
                (line) => out.note(line),
              ),
          )
          server.maxConnections = MAX_CONNECTIONS
          const bound = await listen(server, host, local).catch((cause: unknown) => {
            if (addresses.length === 0 && host === "::1") return undefined
            throw new Unavailable(
              `unable to listen on port ${local}: ${cause instanceof Error ? cause.message : "unknown"}`,
              { cause },
            )
          })
          if (bound === undefined) continue
          servers.push(server)
          out.line(`Forwarding from ${host.includes(":") ? `[${host}]` : host}:${bound} -> ${inside}`)
        }
      }
      await new Promise<void>((end) => interrupt.signal.addEventListener("abort", () => end(), { once: true }))
    } finally {
      for (const server of servers) server.close()
    }
  },
})

/** Of one address at once: each is a connection into the pod, and programs of this machine alone make them. */
const MAX_CONNECTIONS = 512

function readPorts(text: string): { local: number; remote: string } {
  const [, own, port = ""] = /^(?:(\d{0,5}):)?(\d{1,5}|[a-z][a-z0-9-]{0,14})$/.exec(text) ?? []
  if (port === "") throw new UsageError(`invalid port format '${text}'`)
  const local = own === undefined ? (/^\d+$/.test(port) ? Number(port) : 0) : Number(own || 0)
  return { local, remote: port }
}

async function serviceOf(client: KubeClient, word: string, namespace: string | undefined): Promise<Tree | undefined> {
  const [named] = await readResourceArgs(client, [word])
  if (named?.kind.plural !== "services" || named.name === undefined) return undefined
  return client.get(named.kind, named.name, namespace)
}

/** A Service's port is led to where it leads; names are those of the pod's ports. */
function portInside(pod: Tree, service: Tree | undefined, remote: string): number {
  const named = (name: string): number | undefined =>
    listAt(pod, "spec", "containers")
      .flatMap((one) => listAt(one, "ports"))
      .filter((port) => textAt(port, "name") === name)
      .map((port) => numberAt(port, "containerPort"))[0]
  const ofService = listAt(service, "spec", "ports").find(
    (port) => String(numberAt(port, "port")) === remote || textAt(port, "name") === remote,
  )
  const target = ofService === undefined ? remote : (at(ofService, "targetPort") ?? remote)
  const number = /^\d+$/.test(String(target)) ? Number(target) : named(String(target))
  if (number === undefined || number < 1 || number > 65_535)
    throw new UsageError(`pod ${textAt(pod, "metadata", "name")} does not have a named port '${String(target)}'`)
  return number
}

async function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject)
    server.listen(port, host, () => {
      const address = server.address()
      resolve(typeof address === "object" && address !== null ? address.port : port)
    })
  })
}

async function handle(
  socket: Socket,
  port: number,
  join: (socket: Socket) => Promise<void>,
  note: (text: string) => void,
): Promise<void> {
  socket.on("error", () => socket.destroy())
  note(`Handling connection for ${socket.localPort ?? port}`)
  try {
    await join(socket)
  } catch (error) {
    note(`an error occurred forwarding ${port}: ${error instanceof Error ? error.message : String(error)}`)
  } finally {
    socket.end()
  }
}

async function forward(engine: Engine, pod: Tree, port: number, socket: Socket): Promise<void> {
  const uid = textAt(pod, "metadata", "uid")
  const [sandboxes, pods] = await Promise.all([engine.sandboxes(), engine.pods()])
  const found = (await pods.list()).find(({ options }) => options.labels?.[POD_UID_LABEL] === uid)
  if (found?.sandboxId === undefined) throw new FailedPrecondition("the pod's sandbox is not there")
  using connection = await sandboxes.connect(found.sandboxId, port)
  socket.on("data", (chunk: Uint8Array) => {
    socket.pause()
    void Promise.resolve(connection.write(chunk)).finally(() => socket.resume())
  })
  socket.once("end", () => connection.end())
  connection.onData(async (chunk) => {
    if (!socket.write(Buffer.from(chunk))) await new Promise<void>((go) => socket.once("drain", go))
  })
  await connection.ended
}
