import { describe, expect, test } from "bun:test"
import { Inbox } from "../../sys/net/websocket/byte-stream.ts"
import { answerHead, headEnd, parseHead, wordsOf } from "./http-head.ts"
import { Channels } from "../../sys/net/websocket/channels.ts"
import type { WebSocketConnection } from "../../sys/net/websocket/websocket.ts"

describe("the head of a request", () => {
  test("is its line and its headers, joined where one comes again", () => {
    const text = "POST /exec/x?a=b HTTP/1.1\r\nHost: h\r\nX-P: a\r\nx-p:  b , c \r\nEmpty:\r\n\r\n"
    expect(headEnd(Buffer.from(`${text}rest`))).toBe(text.length)
    expect(headEnd(Buffer.from("POST / HTTP/1.1\r\n"))).toBeUndefined()
    const head = parseHead(text)
    expect(head).toMatchObject({ method: "POST", path: "/exec/x?a=b" })
    expect({ ...head?.headers }).toEqual({ host: "h", "x-p": "a, b , c", empty: "" })
    expect(wordsOf(head?.headers["x-p"])).toEqual(["a", "b", "c"])
  })

  test("is refused where it is none", () => {
    for (const text of [
      "GET /x HTTP/1.0\r\n\r\n",
      "GET x HTTP/1.1\r\n\r\n",
      "GET  /x HTTP/1.1\r\n\r\n",
      "GET /x HTTP/1.1\r\nno colon\r\n\r\n",
      "GET /x HTTP/1.1\r\n folded: x\r\n\r\n",
      "GET /a b HTTP/1.1\r\n\r\n",
      "GET /x HTTP/1.1\r\na: b\0c\r\n\r\n",
    ])
      expect([text, parseHead(text)]).toEqual([text, undefined])
  })

  test("of an answer has a length but where the protocol changes", () => {
    expect(answerHead(404, "Not Found", {}, "no\n")).toBe(
      "HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno\n",
    )
    expect(answerHead(101, "Switching Protocols", { Upgrade: "x" })).toBe(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
    )
  })
})

describe("what waits to be taken", () => {
  test("is taken in order, one piece at a time, and then it has ended", async () => {
    const inbox = new Inbox()
    await inbox.add(Buffer.from("a"))
    await inbox.add(Buffer.from("b"))
    const taken: string[] = []
    inbox.onData(async (chunk) => {
      await Bun.sleep(1)
      taken.push(Buffer.from(chunk).toString())
    })
    await inbox.add(Buffer.from("c"))
    inbox.end()
    await inbox.ended
    expect(taken).toEqual(["a", "b", "c"])
  })

  test("holds its sender back when it is much, and lets him go when nobody will take it", async () => {
    const inbox = new Inbox()
    await inbox.add(Buffer.alloc(200_000))
    let isThrough = false
    const held = inbox.add(Buffer.alloc(200_000)).then(() => (isThrough = true))
    await Bun.sleep(5)
    expect(isThrough).toBe(false)
    inbox.end()
    await held
    await inbox.ended
  })

  test("goes on when its taker fails", async () => {
    const inbox = new Inbox()
    let count = 0
    inbox.onData(() => {
      count++
      throw new Error("gone")
    })
    await inbox.add(Buffer.from("a"))
    await inbox.add(Buffer.from("b"))
    inbox.end()
    await inbox.ended
    expect(count).toBe(2)
  })
})

const run = async (isBase64: boolean, messages: (string | Uint8Array)[]) => {
  const sent: string[] = []
  const socket = {
    async *messages() {
      for (const message of messages) yield Buffer.from(message as string)
    },
    async send(payload: Uint8Array) {
      sent.push(Buffer.from(payload).toString("latin1"))
    },
  }
  const channels = new Channels(socket as unknown as WebSocketConnection, 3, { isBase64, canClose: !isBase64 })
  const taken: string[] = []
  const stream = channels.stream(0)
  stream.onData((chunk) => void taken.push(Buffer.from(chunk).toString()))
  await channels.run()
  await stream.ended
  await channels.stream(1).write(Buffer.from("out"))
  return { taken, sent }
}

test("channels are the first byte of a message, or a digit before base64; v5 ends one by channel 255", async () => {
  expect(
    await run(false, [Buffer.from("\0in"), Buffer.from("\x09lost"), Buffer.from([255, 0]), Buffer.from("\0late")]),
  ).toEqual({
    taken: ["in"],
    sent: ["\x01out"],
  })
  expect(await run(true, [`0${btoa("in")}`])).toEqual({ taken: ["in"], sent: [`1${btoa("out")}`] })
})
