import { expect, test } from "bun:test"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { boundedText } from "./bounded-text.ts"

test("an answer in pieces is read whole, and one without end only as far as it may go", async () => {
  let isEndless = false
  const { promise: cut, resolve: gone } = Promise.withResolvers<void>()
  const server = createServer((_, response) => {
    response.once("close", gone)
    if (!isEndless) {
      response.write("one ")
      return response.end("two")
    }
    const more = (): void => {
      while (!response.destroyed && response.write("x".repeat(16_384)));
      response.once("drain", more)
    }
    more()
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    const body = async (): Promise<ReadableStream<Uint8Array>> => (await fetch(url)).body ?? new ReadableStream()
    expect(await boundedText(await body(), 7)).toBe("one two")
    isEndless = true
    expect(boundedText(await body(), 100_000)).rejects.toMatchObject({ code: "Unavailable" })
    await cut
  } finally {
    server.closeAllConnections()
    server.close()
  }
})
