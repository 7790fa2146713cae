import type { Socket } from "node:net"
import { podSessions, type KubeClient, type Tree } from "../../kube/kube.ts"

/** Joins a connection of this host to a port of a pod of another cluster, by a connection of its own. Throws what the server says. */
export async function forwardRemote(client: KubeClient, pod: Tree, port: number, socket: Socket): Promise<void> {
  const { openPort } = await podSessions()
  using connection = await openPort(client, pod, port)
  socket.on("data", (chunk: Uint8Array) => {
    socket.pause()
    void connection.write(chunk).finally(() => socket.resume())
  })
  socket.once("close", () => void connection.close())
  connection.onData(async (chunk) => {
    if (socket.destroyed || socket.write(Buffer.from(chunk))) return
    await new Promise<void>((go) => {
      socket.once("drain", go)
      socket.once("close", go)
    })
  })
  await connection.ended
}
