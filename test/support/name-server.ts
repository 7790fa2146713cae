/** A name server of the test's own, on port 53; as a program, inside a container's network: `name-server.ts ADDRESS NAME=ADDRESS…`. */
import { createSocket, type Socket } from "node:dgram"

/** An address of the loopback that no other test process has: they all want port 53. */
export const ownLoopback = (index: number): string =>
  `127.${64 + index}.${(process.pid >> 8) & 255}.${process.pid & 255}`

export class NameServer implements AsyncDisposable {
  /** What it was asked, in the letters of the asker. */
  readonly asked: string[] = []
  readonly #socket: Socket

  private constructor(socket: Socket) {
    this.#socket = socket
  }

  /** Knows the addresses of some names, and says of all others that they are not there. */
  static async open(address: string, known: Record<string, string>): Promise<NameServer> {
    const socket = createSocket("udp4")
    const server = new NameServer(socket)
    socket.on("message", (message, from) => {
      const { name, end } = nameOf(message)
      server.asked.push(name)
      socket.send(answerTo(message, end, known[name.toLowerCase()]), from.port, from.address)
    })
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    socket.on("error", reject)
    socket.bind(53, address, resolve)
    await promise
    return server
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#socket.close(resolve)
    await promise
  }
}

/** Of the question, and where that ends. */
function nameOf(message: Buffer): { name: string; end: number } {
  const labels: string[] = []
  let at = 12
  for (let length = message.readUInt8(at); length > 0; length = message.readUInt8(at)) {
    labels.push(message.toString("latin1", at + 1, at + 1 + length))
    at += 1 + length
  }
  return { name: labels.join("."), end: at + 5 }
}

function answerTo(message: Buffer, end: number, address: string | undefined): Buffer {
  const header = Buffer.from(message.subarray(0, 12))
  header.writeUInt16BE(0x8180 | (address === undefined ? 3 : 0), 2)
  for (const [offset, count] of [1, address === undefined ? 0 : 1, 0, 0].entries())
    header.writeUInt16BE(count, 4 + 2 * offset)
  const record =
    address === undefined ? [] : [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...address.split(".").map(Number)]
  return Buffer.concat([header, message.subarray(12, end), Buffer.from(record)])
}

if (import.meta.main) {
  const [address = "", ...known] = process.argv.slice(2)
  await NameServer.open(address, Object.fromEntries(known.map((word) => word.split("=") as [string, string])))
}
