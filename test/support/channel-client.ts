/** A client of Kubernetes' channels in a WebSocket, by the runtime's own WebSocket. */
export class ChannelClient {
  readonly #socket: WebSocket
  readonly received = new Map<number, Buffer>()
  /** Numbers that came on the channel of ends. */
  readonly ends: number[] = []
  readonly closed: Promise<void>

  private constructor(socket: WebSocket) {
    this.#socket = socket
    this.closed = new Promise((resolve) => socket.addEventListener("close", () => resolve()))
    socket.addEventListener("message", ({ data }) => {
      const bytes = typeof data === "string" ? Buffer.from(data) : Buffer.from(data as ArrayBuffer)
      const channel = bytes[0] ?? 0
      if (channel === 255) return void this.ends.push(bytes[1] ?? 0)
      this.received.set(channel, Buffer.concat([this.received.get(channel) ?? Buffer.alloc(0), bytes.subarray(1)]))
    })
  }

  static async open(url: string, ...protocols: string[]): Promise<ChannelClient> {
    const socket = new WebSocket(url.replace("http:", "ws:"), protocols)
    socket.binaryType = "arraybuffer"
    const client = new ChannelClient(socket)
    await new Promise<void>((resolve, reject) => {
      socket.addEventListener("open", () => resolve())
      socket.addEventListener("error", () => reject(new Error("no WebSocket")))
    })
    return client
  }

  get protocol(): string {
    return this.#socket.protocol
  }

  text(channel: number): string {
    return (this.received.get(channel) ?? Buffer.alloc(0)).toString()
  }

  send(channel: number, data: string | Uint8Array): void {
    this.#socket.send(Buffer.concat([Uint8Array.of(channel), Buffer.from(data as string)]))
  }

  close(): void {
    this.#socket.close()
  }
}
