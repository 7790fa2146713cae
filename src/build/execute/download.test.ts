import { expect, test } from "bun:test"
import { createHash } from "node:crypto"
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs"
import { createServer, type RequestListener } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Digest } from "../../spec/digest.ts"
import { download, type DownloadLimits } from "./download.ts"
import type { WorkContext } from "./executor.ts"

const context: WorkContext = { onLog: () => {}, onProgress: () => {} }
const LIMITS: DownloadLimits = { bytes: 1 << 20, stallMs: 300 }
const sha256 = (text: string): Digest => `sha256:${createHash("sha256").update(text).digest("hex")}` as Digest

/** A server and a directory to fetch into, for the time of `body`. */
async function serving(
  answer: RequestListener,
  body: (
    url: string,
    fetchTo: (path: string, checksum?: Digest, more?: Partial<WorkContext>) => Promise<string>,
    directory: string,
  ) => Promise<void>,
): Promise<void> {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const directory = mkdtempSync(join(tmpdir(), "skiff-download-"))
  try {
    await body(
      url,
      (path, checksum, more) => download(`${url}${path}`, directory, checksum, { ...context, ...more }, LIMITS),
      directory,
    )
  } finally {
    server.closeAllConnections()
    server.close()
    rmSync(directory, { recursive: true })
  }
}

test("a file has the server's time and bytes as they are, mode 0600, and the name of the path", async () => {
  const headers = { "last-modified": "Wed, 01 Jan 2020 00:00:00 GMT", "content-encoding": "gzip" }
  await serving(
    (_, response) => response.writeHead(200, headers).end("no gzip"),
    async (_, fetchTo, directory) => {
      expect(await fetchTo("/x/a%20b.tgz?y=/z", sha256("no gzip"))).toBe("a b.tgz")
      const stat = statSync(join(directory, "a b.tgz"))
      expect([stat.mode & 0o7777, stat.mtimeMs]).toEqual([0o600, Date.UTC(2020, 0, 1)])
      expect(readFileSync(join(directory, "a b.tgz"), "utf8")).toBe("no gzip")
    },
  )
})

test("a server that tells no time gives a file of 1970", async () => {
  await serving(
    (_, response) => response.end("x"),
    async (_, fetchTo, directory) => {
      await fetchTo("/x", undefined)
      expect(statSync(join(directory, "x")).mtimeMs).toBe(0)
    },
  )
})

test("a name of the server is a plain name, wherever it wants to go", async () => {
  const names = [
    'attachment; filename="good.txt"',
    'filename="../../etc/passwd"',
    "filename=..",
    'filename="%2e%2e%2fx"',
  ]
  await serving(
    (request, response) =>
      response.writeHead(200, { "content-disposition": names[Number(request.url?.slice(1, 2))] }).end("x"),
    async (_, fetchTo, directory) => {
      const found = []
      for (const index of names.keys()) found.push(await fetchTo(`/${index}`))
      expect(found).toEqual(["good.txt", "passwd", "2", "x"])
      expect(readdirSync(directory).toSorted()).toEqual(["2", "good.txt", "passwd", "x"])
    },
  )
})

test("other bytes than the checksum's, too many, too few or none in time: nothing is kept", async () => {
  await serving(
    (request, response) => {
      if (request.url === "/big") response.end(Buffer.alloc(2 << 20))
      else if (request.url === "/short")
        response.writeHead(200, { "content-length": "10" }).write("x", () => response.destroy())
      else if (request.url === "/stall") response.writeHead(200).write("x")
      else response.writeHead(request.url === "/gone" ? 404 : 200).end("x")
    },
    async (_, fetchTo, directory) => {
      await expect(fetchTo("/x", sha256("y"))).rejects.toMatchObject({ code: "DataLoss" })
      await expect(fetchTo("/big")).rejects.toMatchObject({ code: "DataLoss" })
      for (const path of ["/short", "/stall", "/gone"])
        await expect(fetchTo(path)).rejects.toMatchObject({ code: "Unavailable" })
      await expect(fetchTo("/stall", undefined, { signal: AbortSignal.timeout(50) })).rejects.toMatchObject({
        code: "Cancelled",
      })
      expect(readdirSync(directory)).toEqual([])
    },
  )
})

test("redirects are followed without the credentials, to http only, and not for ever", async () => {
  const seen: (string | undefined)[] = []
  await serving(
    (request, response) => {
      seen.push(request.headers.authorization)
      const to: Record<string, string> = {
        "/a": `http://localhost:${request.socket.localPort}/f`,
        "/loop": "/loop",
        "/file": "file:///etc/passwd",
      }
      const location = to[request.url ?? ""]
      if (location === undefined) response.end("ok")
      else response.writeHead(302, { location }).end()
    },
    async (url, fetchTo, directory) => {
      const withPassword = `${url.replace("//", "//user:secret@")}/a`
      expect(await download(withPassword, directory, undefined, context, LIMITS)).toBe("f")
      expect(seen.map((header) => header !== undefined)).toEqual([true, false])
      await expect(fetchTo("/loop")).rejects.toThrow("redirects")
      await expect(fetchTo("/file")).rejects.toThrow("neither http nor https")
      await expect(download("file:///etc/passwd", directory, undefined, context)).rejects.toThrow("only http")
      const refused = await download(
        `${withPassword}x`.replace("/ax", "/loop"),
        directory,
        undefined,
        context,
        LIMITS,
      ).catch(String)
      expect(refused).not.toContain("secret")
    },
  )
})
