import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { createServer, type IncomingMessage, type RequestListener } from "node:http"
import { createServer as createTlsServer } from "node:https"
import type { AddressInfo, Server } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** For tests: a server on a free loopback port that writes down what it was asked. */
export interface TestServer extends AsyncDisposable {
  /** `127.0.0.1:PORT` */
  host: string
  port: number
  requests: IncomingMessage[]
  /** `method path`, in order. */
  seen(): string[]
}

/** A server of the test, on a free port of this machine. */
export async function serve(
  listener: RequestListener,
  tls?: TestCertificate,
  { requestClientCertificate: requestCert = false } = {},
): Promise<TestServer> {
  const requests: IncomingMessage[] = []
  const handler: RequestListener = (request, response) => {
    requests.push(request)
    listener(request, response)
  }
  const server: Server = tls
    ? createTlsServer({ ...tls, ...(requestCert ? { requestCert, ca: tls.cert } : {}) }, handler)
    : createServer(handler)
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as AddressInfo
  return {
    host: `127.0.0.1:${port}`,
    port,
    requests,
    seen: () => requests.map(({ method, url }) => `${method} ${url}`),
    async [Symbol.asyncDispose]() {
      ;(server as Server & { closeAllConnections?(): void }).closeAllConnections?.()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** For a server of the test. */
export interface TestCertificate {
  cert: string
  key: string
}

/** A certificate for 127.0.0.1 and localhost, signed by itself; undefined where there is no openssl. */
export function testCertificate(): TestCertificate | undefined {
  const dir = mkdtempSync(join(tmpdir(), "skiff-cert-"))
  const [cert, key] = [join(dir, "cert.pem"), join(dir, "key.pem")]
  const what = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
  const name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
  try {
    execFileSync("openssl", [...what, ...name, "-keyout", key, "-out", cert], { stdio: "ignore" })
    return { cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8") }
  } catch {
    return undefined
  } finally {
    rmSync(dir, { recursive: true })
  }
}
