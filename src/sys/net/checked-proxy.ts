/**
 * A SOCKS proxy (RFC 1928) on the loopback for a program of the host that makes connections for us, git: it goes wherever
 * redirects and repositories lead it, and each of those addresses is looked at here as those of our own requests are.
 */
import { connect, createServer, type AddressInfo, type Socket } from "node:net"
import { isSkiffError, type SkiffError } from "../../base/errors.ts"
import type { AddressKind } from "./address-kind.ts"
import { addressOf } from "./checked-fetch.ts"

/** A proxy on loopback for a program that looks names up itself (git): it checks each address before it connects. */
export interface CheckedProxy extends AsyncDisposable {
  /** With names left to the proxy: `socks5h://127.0.0.1:PORT`. */
  url: string
  /** The last connection that was not made, and why. */
  refusal: SkiffError | undefined
}

/** Opens it. `refused`: what may not be reached by a host of that name, beside what nobody may. */
export async function openCheckedProxy(refused: (hostname: string) => readonly AddressKind[]): Promise<CheckedProxy> {
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    sockets.add(client)
    client.on("close", () => sockets.delete(client)).on("error", () => client.destroy())
    void serve(client, refused).catch((error: unknown) => {
      if (isSkiffError(error)) proxy.refusal = error
      client.end(reply(isSkiffError(error, "PermissionDenied") ? NOT_ALLOWED : UNREACHABLE))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const proxy: CheckedProxy = {
    url: `socks5h://127.0.0.1:${(server.address() as AddressInfo).port}`,
    refusal: undefined,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return proxy
}

const VERSION = 5
const CONNECT = 1
const IPV4 = 1
const NAME = 3
const IPV6 = 4
const SUCCEEDED = 0
const NOT_ALLOWED = 2
const UNREACHABLE = 4

function reply(code: number): Uint8Array {
  return new Uint8Array([VERSION, code, 0, IPV4, 0, 0, 0, 0, 0, 0])
}

async function serve(client: Socket, refused: (hostname: string) => readonly AddressKind[]): Promise<void> {
  const read = byteReader(client)
  const [, methods = 0] = await read(2)
  await read(methods)
  client.write(new Uint8Array([VERSION, 0]))
  const [version, command, , type = 0] = await read(4)
  if (version !== VERSION || command !== CONNECT) throw new Error("not a request to connect")
  const host = await readHost(read, type)
  const [high = 0, low = 0] = await read(2)
  const url = new URL(`http://${host}:${high * 256 + low}/`)
  const upstream = connect({ host: await addressOf(url, refused(host)), port: high * 256 + low })
  await new Promise<void>((resolve, reject) => upstream.once("connect", resolve).once("error", reject))
  upstream.on("error", () => client.destroy()).on("close", () => client.destroy())
  client.on("close", () => upstream.destroy())
  client.write(reply(SUCCEEDED))
  client.pipe(upstream)
  upstream.pipe(client)
}

async function readHost(read: (count: number) => Promise<Uint8Array>, type: number): Promise<string> {
  if (type === IPV4) return (await read(4)).join(".")
  if (type === NAME) {
    const [length = 0] = await read(1)
    return Buffer.from(await read(length)).toString("latin1")
  }
  if (type !== IPV6) throw new Error("no such kind of address")
  const groups =
    Buffer.from(await read(16))
      .toString("hex")
      .match(/.{4}/g) ?? []
  return `[${groups.join(":")}]`
}

/** Reads the head of a stream piece by piece, and leaves the rest in it. Throws when it ends. */
function byteReader(socket: Socket): (count: number) => Promise<Uint8Array> {
  return async (count) => {
    for (;;) {
      if (count === 0) return new Uint8Array()
      const bytes = socket.read(count) as Buffer | null
      if (bytes !== null && bytes.length === count) return bytes
      if (bytes !== null || socket.readableEnded || socket.destroyed) throw new Error("the connection ended")
      await new Promise<void>((resolve) => {
        socket.once("readable", resolve)
        socket.once("close", resolve)
      })
    }
  }
}
