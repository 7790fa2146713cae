/**
 * Where a Dockerfile, a redirect or a registry sends us: never to a cloud's secrets, never from https to http.
 *
 * One user is enough.
 */
import { afterAll, describe, expect, test } from "bun:test"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { openStore } from "../support/store.ts"

const skiff = openStore()
const server = createServer((request, response) => {
  const to = decodeURIComponent((request.url ?? "").slice(1))
  response.writeHead(307, { location: to }).end()
})
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
const redirecting = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
afterAll(() => {
  server.close()
})

const METADATA = [
  "http://169.254.169.254/latest/meta-data/iam/security-credentials/",
  "http://169.254.170.2/v2/credentials",
  "http://2852039166/",
  "http://0xa9fea9fe/",
  "http://[::ffff:169.254.169.254]/",
  "http://[64:ff9b::a9fe:a9fe]/",
  "http://[fd00:ec2::254]/latest/",
  "http://[fe80::a9fe:a9fe]/",
  "http://100.100.100.200/latest/meta-data/",
  "http://168.63.129.16/machine",
  "http://192.0.0.192/latest/",
]

async function build(url: string): Promise<{ code: number; stderr: string }> {
  // a Dockerfile alone, from standard input
  return await skiff.run(["build", "-q", "-"], { stdin: `FROM scratch\nADD ${url} /secret\n` })
}

describe("ADD does not fetch", () => {
  test.each(METADATA)("%s, directly or by a redirect", async (url) => {
    for (const from of [url, `${redirecting}/${encodeURIComponent(url)}`]) {
      const { code, stderr } = await build(from)
      expect(code).not.toBe(0)
      expect(stderr).toContain("refused to connect")
      expect(stderr).not.toMatch(/^\s+at /m)
    }
  })
})

test.each(["169.254.169.254", "168.63.129.16:80"])("a registry at %s is not asked", async (host) => {
  const { code, stderr } = await skiff.run(["pull", "--tls-verify=false", `${host}/a/b:1`])
  expect(code).not.toBe(0)
  expect(stderr).toContain("refused to connect")
})
