/** Several streams in one WebSocket: the first byte of each message is the number of its channel. */
import { Inbox, WaitingRoom, type ByteStream, type Sink } from "./byte-stream.ts"
import type { WebSocketConnection } from "./websocket.ts"

/** v5 alone, and of clients alone: its payload is the number of a channel that has ended. */
const CLOSE_CHANNEL = 255
const MAX_PAYLOAD_BYTES = 32 * 1024

/** How the bytes are written: as they are, or in base64 with the channel as a digit. */
export interface ChannelForm {
  isBase64: boolean
  /** The client ends channels one by one. */
  canClose: boolean
  /** We are the client. */
  isClient?: boolean
}

/** Kubernetes' channels in one WebSocket: each message begins with the number of its own. */
export class Channels {
  readonly #socket: WebSocketConnection
  readonly #form: ChannelForm
  readonly #inboxes: Inbox[]

  constructor(socket: WebSocketConnection, count: number, form: ChannelForm) {
    this.#socket = socket
    this.#form = form
    const room = new WaitingRoom()
    this.#inboxes = Array.from({ length: count }, () => new Inbox(room))
  }

  /** Reads until the other side has gone. */
  async run(): Promise<void> {
    try {
      for await (const message of this.#socket.messages()) {
        const [channel, payload] = this.#read(message)
        if (channel === CLOSE_CHANNEL && this.#form.canClose) this.#inboxes[payload[0] ?? -1]?.end()
        // a message for no channel is dropped, as Kubernetes' own server does
        else await this.#inboxes[channel]?.add(payload)
      }
    } finally {
      for (const inbox of this.#inboxes) inbox.end()
    }
  }

  stream(channel: number): ByteStream {
    const inbox = this.#inboxes[channel] ?? new Inbox()
    return {
      onData: (sink: Sink) => inbox.onData(sink),
      ended: inbox.ended,
      write: async (chunk) => {
        for (let at = 0; at < chunk.length; at += MAX_PAYLOAD_BYTES)
          await this.#send(channel, chunk.subarray(at, at + MAX_PAYLOAD_BYTES))
      },
      // what a server has said all on ends with the connection: clients know no other word for it
      end: () =>
        this.#form.isClient && this.#form.canClose
          ? this.#send(CLOSE_CHANNEL, Uint8Array.of(channel))
          : Promise.resolve(),
    }
  }

  /** An empty message: so the client knows that it is heard, before there is anything to say. */
  greet(channel: number): Promise<void> {
    return this.#send(channel, new Uint8Array())
  }

  close(): Promise<void> {
    return this.#socket.close()
  }

  #read(message: Uint8Array): [number, Uint8Array] {
    const [first = 0] = message
    const payload = message.subarray(1)
    if (!this.#form.isBase64) return [first, payload.slice()]
    return [first - 0x30, Buffer.from(Buffer.from(payload).toString("latin1"), "base64")]
  }

  #send(channel: number, payload: Uint8Array): Promise<void> {
    if (!this.#form.isBase64) return this.#socket.send(Buffer.concat([Uint8Array.of(channel), payload]))
    return this.#socket.send(Buffer.from(`${channel}${Buffer.from(payload).toString("base64")}`), true)
  }
}
