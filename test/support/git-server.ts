/** git's own CGI program behind a server of HTTPS: what a forge does. */
import { spawn, spawnSync } from "node:child_process"
import { createServer } from "node:https"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { madeCertificate } from "../../src/sys/net/made-certificate.ts"

export interface GitServer extends AsyncDisposable {
  /** `https://localhost:PORT/`. */
  url: string
  /** The file of the authority that its certificate stands on. */
  authority: string
}

/** The bare repositories of a directory, for who says `user:password`. Its certificate is made in `certificates`. */
export async function serveGit(directory: string, certificates: string, password: string): Promise<GitServer> {
  const { cert, key, authority } = await madeCertificate(certificates)
  const backend = join(spawnSync("git", ["--exec-path"], { encoding: "utf8" }).stdout.trim(), "git-http-backend")
  const wanted = `Basic ${Buffer.from(password).toString("base64")}`
  const server = createServer({ cert, key }, (request, response) => {
    if (request.headers.authorization !== wanted) {
      response.writeHead(401, { "www-authenticate": 'Basic realm="git"' }).end()
      return
    }
    const [path = "", query = ""] = (request.url ?? "/").split("?", 2)
    const env = {
      PATH: process.env.PATH,
      GIT_PROJECT_ROOT: directory,
      GIT_HTTP_EXPORT_ALL: "1",
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: "safe.directory",
      GIT_CONFIG_VALUE_0: "*",
      REQUEST_METHOD: request.method,
      PATH_INFO: path,
      QUERY_STRING: query,
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
      GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
    }
    const child = spawn(backend, [], { env, stdio: ["pipe", "pipe", "inherit"] })
    request.pipe(child.stdin)
    const chunks: Buffer[] = []
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk))
    child.on("close", () => {
      const all = Buffer.concat(chunks)
      const end = all.indexOf("\r\n\r\n")
      const headers = all.subarray(0, end).toString().split("\r\n")
      const status = headers.find((line) => line.startsWith("Status: "))?.slice(8, 11) ?? "200"
      for (const line of headers.filter((one) => !one.startsWith("Status: "))) {
        const colon = line.indexOf(": ")
        response.setHeader(line.slice(0, colon), line.slice(colon + 2))
      }
      response.writeHead(Number(status)).end(all.subarray(end + 4))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return {
    url: `https://localhost:${(server.address() as AddressInfo).port}/`,
    authority,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
