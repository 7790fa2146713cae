import { expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { setTimeout as sleep } from "node:timers/promises"
import { connect } from "node:tls"
import { tempDirectory } from "../../test/support/temp-directory.ts"
import { madeCertificate } from "../sys/net/made-certificate.ts"
import { Doors } from "./doors.ts"

test("who holds more connections than one address may is cut, and heard again when one of them ends", async () => {
  const { cert, key, authority } = await madeCertificate(tempDirectory("skiff-doors-"))
  await using doors = new Doors({
    pair: { cert, key, authority: readFileSync(authority, "utf8") },
    onRequest: (_, response) => response.end("ok"),
    onUpgrade: () => {},
    connections: { all: 10, ofOne: 2 },
  })
  const port = await doors.open({ host: "127.0.0.1", port: 0 })
  const dial = async (): Promise<{ isHeard: boolean; end(): Promise<unknown> }> => {
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false })
    socket.on("error", () => {})
    const closed = new Promise<false>((resolve) => socket.once("close", () => resolve(false)))
    const isHeard = await Promise.race([
      new Promise<true>((resolve) => socket.once("secureConnect", () => resolve(true))),
      closed,
    ])
    return { isHeard, end: () => (socket.destroy(), closed) }
  }
  const [one, two] = [await dial(), await dial()]
  expect([one.isHeard, two.isHeard]).toEqual([true, true])
  expect((await dial()).isHeard).toBe(false)
  await one.end()
  await sleep(100)
  const again = await dial()
  expect(again.isHeard).toBe(true)
  await Promise.all([two.end(), again.end()])
})
