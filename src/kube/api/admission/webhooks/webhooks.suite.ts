import { readFileSync } from "node:fs"
import { createServer, type Server } from "node:https"
import type { AddressInfo } from "node:net"
import { tempDirectory } from "../../../../../test/support/temp-directory.ts"
import { madeCertificate } from "../../../../sys/net/made-certificate.ts"
import type { Tree } from "../../../field.ts"

/** What the server is asked, and says. */
export interface TestHook extends AsyncDisposable {
  url: string
  port: number
  /** Of the server's certificate, in base64 of PEM. */
  caBundle: string
  /** `request` of each review. */
  asked: Tree[]
  /** Of `response`, beside its uid. Default: allowed. */
  answers: (request: Tree) => Tree
  /** Whole, in place of an answer: status, headers, text. */
  raw: undefined | { status: number; headers?: Record<string, string>; text: string }
}

/** A webhook of its own by TLS, by the names that are given and on the loopback. */
export async function testHook(...names: string[]): Promise<TestHook> {
  const files = await madeCertificate(tempDirectory("skiff-hook-"), {
    more: ["IP:127.0.0.1", "DNS:localhost", ...names.map((name) => `DNS:${name}`)],
  })
  const server: Server = createServer({ cert: files.cert, key: files.key }, (request, response) => {
    const chunks: Buffer[] = []
    request.on("data", (chunk: Buffer) => void chunks.push(chunk))
    request.on("end", () => {
      const review = JSON.parse(Buffer.concat(chunks).toString()) as { request: Tree }
      it.asked.push(review.request)
      if (it.raw) return response.writeHead(it.raw.status, it.raw.headers).end(it.raw.text)
      const answer = { uid: review.request["uid"], allowed: true, ...it.answers(review.request) }
      response.writeHead(200, { "Content-Type": "application/json" })
      return response.end(
        JSON.stringify({ kind: "AdmissionReview", apiVersion: "admission.k8s.io/v1", response: answer }),
      )
    })
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as AddressInfo
  const it: TestHook = {
    url: `https://127.0.0.1:${port}/`,
    port,
    caBundle: readFileSync(files.authority).toString("base64"),
    asked: [],
    answers: () => ({}),
    raw: undefined,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return it
}

/** As `response` has it. */
export function patchOf(...operations: object[]): Tree {
  return { patchType: "JSONPatch", patch: Buffer.from(JSON.stringify(operations)).toString("base64") }
}
