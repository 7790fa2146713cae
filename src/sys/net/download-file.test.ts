import { afterAll, expect, test } from "bun:test"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { tempDirectory } from "../../../test/support/temp-directory.ts"
import { downloadFile } from "./download-file.ts"

const BYTES = Buffer.alloc(300_000, "0123456789")
const seen: { range?: string; status: number }[] = []
let [content, etag, cutAt, knowsRanges] = [BYTES, '"1"', 0, true]
const server = createServer((request, response) => answer(request, response))
server.listen(0, "127.0.0.1")
await new Promise((resolve) => server.once("listening", resolve))
afterAll(() => server.close())
const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/a`
const path = join(tempDirectory("skiff-download-"), "a")

function answer({ headers }: IncomingMessage, response: ServerResponse): void {
  const { range } = headers
  const told = (status: number) => seen.push({ status, ...(range === undefined ? {} : { range }) })
  response.setHeader("etag", etag)
  if (headers["if-none-match"] === etag) {
    told(304)
    response.writeHead(304).end()
    return
  }
  const isPart = range !== undefined && knowsRanges && headers["if-range"] === etag
  const from = isPart ? Number(/bytes=(\d+)-/.exec(range)?.[1]) : 0
  const body = content.subarray(from)
  told(isPart ? 206 : 200)
  response.writeHead(isPart ? 206 : 200, { "content-length": body.length })
  if (cutAt === 0) response.end(body)
  else response.write(body.subarray(0, cutAt), () => setTimeout(() => response.destroy(), 50))
}

test("what was cut goes on where it stopped; what has not changed is not sent again; what has is", async () => {
  cutAt = 100_000
  await expect(downloadFile(address, path)).rejects.toThrow("cannot download from")
  expect(existsSync(path)).toBe(false)
  cutAt = 0
  expect(await downloadFile(address, path)).toBe("new")
  expect(readFileSync(path).equals(BYTES)).toBe(true)
  expect(seen).toEqual([{ status: 200 }, { status: 206, range: "bytes=100000-" }])
  expect(existsSync(`${path}.part`)).toBe(false)

  expect(await downloadFile(address, path)).toBe("unchanged")
  expect(readFileSync(path).equals(BYTES)).toBe(true)

  // another state, cut and changed once more in between: begun anew
  content = Buffer.alloc(200_000, "ab")
  etag = '"2"'
  cutAt = 50_000
  await expect(downloadFile(address, path)).rejects.toThrow()
  expect(readFileSync(path).equals(BYTES)).toBe(true)
  content = Buffer.alloc(150_000, "xyz")
  etag = '"3"'
  cutAt = 0
  expect(await downloadFile(address, path)).toBe("new")
  expect(readFileSync(path).equals(content)).toBe(true)
})

test("a server without ranges, or validators, sends all of it", async () => {
  knowsRanges = false
  const other = `${path}-other`
  writeFileSync(`${other}.part`, "of nobody knows what")
  expect(await downloadFile(address, other)).toBe("new")
  expect(readFileSync(other).equals(content)).toBe(true)
})
