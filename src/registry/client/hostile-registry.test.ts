import { afterEach, describe, expect, test } from "bun:test"
import { createHash } from "node:crypto"
import { cpSync, mkdirSync, writeFileSync } from "node:fs"
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { MediaType, type Descriptor } from "../../spec/oci-image.ts"
import type { Digest } from "../../spec/digest.ts"
import type { RegistryOptions, RemoteReference } from "../registry.ts"
import { ownSettings } from "../../../test/support/own-settings.ts"
import { openRegistries } from "../open.ts"
import { errorCode } from "./http.ts"
import { serve, testCertificate, type TestServer } from "./test-server.ts"

const LIMITS = { answerTimeoutMs: 400, stallTimeoutMs: 300, attempts: 3, retryDelayMs: 5 }
const SECRET = { username: "anna", password: "s3cret" }
const certificate = testCertificate()
if (!certificate) console.log("skipped: what needs TLS (no openssl)")

const directory = ownSettings()
const servers: TestServer[] = []
afterEach(async () => {
  for (const started of servers.splice(0)) await started[Symbol.asyncDispose]()
})

async function server(listener: RequestListener, tls = false): Promise<TestServer> {
  const started = await serve(listener, tls ? certificate : undefined)
  servers.push(started)
  return started
}

const digestOf = (text: string) => `sha256:${createHash("sha256").update(text).digest("hex")}` as Digest
const manifest = JSON.stringify({ schemaVersion: 2, mediaType: MediaType.ociManifest })
const blob = (size: number, more: Partial<Descriptor> = {}): Descriptor => ({
  mediaType: MediaType.ociLayer,
  digest: digestOf("x"),
  size,
  ...more,
})

const source = (options: RegistryOptions = {}) => openRegistries({ limits: LIMITS }).open(options)
const ref = (host: string): RemoteReference => ({ registry: host, repository: "a/b", tag: "1" })

async function resolve(host: string, options?: RegistryOptions): Promise<Uint8Array> {
  return (await (await source(options)).resolve(ref(host))).bytes
}

async function read(host: string, descriptor: Descriptor, options?: RegistryOptions): Promise<number> {
  let size = 0
  const { bytes } = await (await source(options)).fetch(ref(host), descriptor)
  for await (const chunk of bytes) size += chunk.length
  return size
}

const failure = (code: string, message: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) })
const sendManifest = (_: IncomingMessage, response: ServerResponse) =>
  response.writeHead(200, { "content-type": MediaType.ociManifest }).end(manifest)
const redirect =
  (to: string, status = 307) =>
  (_: IncomingMessage, response: ServerResponse) =>
    response.writeHead(status, { location: to }).end()

/** Answers 401 with `challenge` until an Authorization header comes, then as `then` says. */
const wanting =
  (challenge: () => string, then: RequestListener): RequestListener =>
  (request, response) => {
    if (request.headers.authorization) then(request, response)
    else response.writeHead(401, { "www-authenticate": challenge() }).end("{}")
  }

describe("credentials", () => {
  test.each([301, 302, 303, 307, 308])("stay behind when a %d leads to another port", async (status) => {
    const elsewhere = await server(sendManifest)
    const registry = await server(
      wanting(() => "Basic realm=x", redirect(`http://evil:pw@${elsewhere.host}/blob?sig=1`, status)),
    )
    await resolve(registry.host, { credentials: SECRET })
    expect(registry.requests.at(-1)?.headers.authorization).toStartWith("Basic ")
    expect(elsewhere.requests).toHaveLength(1)
    expect(elsewhere.requests[0]?.headers.authorization).toBeUndefined()
    expect(elsewhere.requests[0]?.headers.cookie).toBeUndefined()
  })

  test("go along on a redirect within the registry", async () => {
    const registry = await server(
      wanting(
        () => "Basic realm=x",
        (request, response) =>
          request.url?.startsWith("/v2/") ? redirect("/other")(request, response) : sendManifest(request, response),
      ),
    )
    await resolve(registry.host, { credentials: SECRET })
    expect(registry.requests.at(-1)).toMatchObject({ url: "/other", headers: { authorization: expect.any(String) } })
  })

  test("are not given to a place that a redirect leads to and that asks for them", async () => {
    const elsewhere = await server(wanting(() => "Basic realm=x", sendManifest))
    const registry = await server(redirect(`http://${elsewhere.host}/`))
    await expect(resolve(registry.host, { credentials: SECRET })).rejects.toThrow(failure("PermissionDenied", /401/))
    expect([...registry.requests, ...elsewhere.requests].map(({ headers }) => headers.authorization)).toEqual([
      undefined,
      undefined,
    ])
  })

  test("are asked for once, and refused once", async () => {
    const registry = await server((_, response) =>
      response
        .writeHead(401, { "www-authenticate": "Basic realm=x" })
        .end('{"errors":[{"message":"no\\u001b[2J way"}]}'),
    )
    await expect(resolve(registry.host, { credentials: SECRET })).rejects.toThrow(
      failure("PermissionDenied", /answered 401 no \[2J way/),
    )
    expect(registry.requests).toHaveLength(2)
  })

  test("of --creds are for the registry that was named, not for its mirror", async () => {
    const mirror = await server(wanting(() => "Basic realm=x", sendManifest))
    const registry = await server(wanting(() => "Basic realm=x", sendManifest))
    const conf = `[[registry]]\nlocation = "${registry.host}"\n[[registry.mirror]]\nlocation = "${mirror.host}"\n`
    writeFileSync(join(directory, "registries.conf"), conf)
    await resolve(registry.host, { credentials: SECRET })
    expect(mirror.requests.map(({ headers }) => headers.authorization)).toEqual([undefined])
    expect(registry.requests.at(-1)?.headers.authorization).toStartWith("Basic ")
  })

  test("a helper that is missing ends the pull before they could go anywhere (CVE-2021-41092)", async () => {
    const registry = await server(wanting(() => "Basic realm=x", sendManifest))
    const authFile = join(directory, "auth.json")
    const auths = { [registry.host]: { auth: btoa("anna:s3cret") } }
    writeFileSync(authFile, JSON.stringify({ auths, credHelpers: { [registry.host]: "no-such-helper" } }))
    await expect(resolve(registry.host, { authFile })).rejects.toThrow(
      failure("NotFound", /docker-credential-no-such-helper/),
    )
    expect(registry.requests.map(({ headers }) => headers.authorization)).toEqual([undefined])
  })
})

const bearer = (realm: string) => `Bearer realm="${realm}",service="s",scope="repository:a/b:pull"`

test("a failed look-up of a name is known by the code of getaddrinfo, whoever looked", () => {
  for (const code of ["DNS_EAI_AGAIN", "EAI_AGAIN"])
    expect(errorCode(Object.assign(new Error(), { code }))).toBe("EAI_AGAIN")
})

describe("a token", () => {
  test.each([
    ["http://169.254.169.254/latest", "link-local"],
    ["https://169.254.169.254/latest", "link-local"],
    ["https://2852039166/", "link-local"],
    ["https://[fe80::1]/", "link-local"],
    ["file:///etc/passwd", "file:"],
    ["http://tokens.example/", "plain http"],
    ["http://127.0.0.2/", "plain http"],
    ["https://10.0.0.1/", "internal"],
    ["https://[::1]/", "internal"],
    ["nowhere", "does not say where to get it"],
  ])("is not fetched from %s", async (realm, why) => {
    const registry = await server(wanting(() => bearer(realm), sendManifest))
    await expect(resolve(registry.host, { credentials: SECRET })).rejects.toThrow(new RegExp(why))
    expect(registry.requests).toHaveLength(1)
  })

  test("is not fetched in the clear from another port of the registry's host: the password stays here", async () => {
    const elsewhere = await server((_, response) => response.end('{"token":"t"}'))
    const registry = await server(wanting(() => bearer(`http://${elsewhere.host}/token`), sendManifest))
    await expect(resolve(registry.host, { credentials: SECRET })).rejects.toThrow(
      failure("PermissionDenied", /plain http to 127\.0\.0\.1:\d+: refused/),
    )
    expect(elsewhere.requests).toEqual([])
    const authFile = join(directory, "auth.json")
    writeFileSync(authFile, JSON.stringify({ auths: { [registry.host]: { identitytoken: "s3cret" } } }))
    await expect(resolve(registry.host, { authFile })).rejects.toThrow(failure("PermissionDenied", /plain http/))
    expect(elsewhere.requests).toEqual([])
  })

  test("is fetched once for layers side by side, and again when it has expired", async () => {
    let valid = "t1"
    let issued = 0
    const registry: TestServer = await server((request, response) => {
      if (request.url?.startsWith("/token")) {
        expect(request.headers.authorization).toBe(`Basic ${btoa("anna:s3cret")}`)
        expect(new URL(request.url, "http://x").searchParams.get("scope")).toBe("repository:a/b:pull")
        issued++
        response.end(JSON.stringify({ token: valid }))
      } else if (request.headers.authorization === `Bearer ${valid}`) sendManifest(request, response)
      else response.writeHead(401, { "www-authenticate": bearer(`http://${registry.host}/token`) }).end()
    })
    const opened = await source({ credentials: SECRET })
    await Promise.all([1, 2, 3, 4].map(() => opened.resolve(ref(registry.host))))
    expect(issued).toBe(1)
    valid = "t2"
    await Promise.all([1, 2, 3, 4].map(() => opened.resolve(ref(registry.host))))
    expect(issued).toBe(2)
  })

  test("is asked for with an identity token where a login left one", async () => {
    const forms: string[] = []
    const registry: TestServer = await server((request, response) => {
      if (request.url === "/token") {
        request.on("data", (chunk: Buffer) => forms.push(chunk.toString()))
        request.on("end", () => response.end(JSON.stringify({ access_token: "t" })))
      } else if (request.headers.authorization === "Bearer t") sendManifest(request, response)
      else response.writeHead(401, { "www-authenticate": bearer(`http://${registry.host}/token`) }).end()
    })
    const authFile = join(directory, "identity.json")
    const auths = { [registry.host]: { auth: btoa("anna:"), identitytoken: "long+lived" } }
    writeFileSync(authFile, JSON.stringify({ auths }))
    await resolve(registry.host, { authFile })
    expect(registry.seen()).toContain("POST /token")
    expect(Object.fromEntries(new URLSearchParams(forms.join("")))).toEqual({
      grant_type: "refresh_token",
      client_id: "skiff",
      service: "s",
      scope: "repository:a/b:pull",
      refresh_token: "long+lived",
    })
  })

  test("that the registry takes itself is sent to it alone, and no realm is asked", async () => {
    const elsewhere = await server(sendManifest)
    const registry: TestServer = await server((request, response) =>
      request.headers.authorization === "Bearer own-token"
        ? redirect(`http://${elsewhere.host}/blob`)(request, response)
        : response.writeHead(401, { "www-authenticate": bearer(`http://${registry.host}/token`) }).end(),
    )
    await resolve(registry.host, { credentials: { registryToken: "own-token" } })
    expect(registry.seen()).not.toContain("token")
    expect(elsewhere.requests.map(({ headers }) => headers.authorization)).toEqual([undefined])
    await expect(resolve(registry.host, { credentials: { registryToken: "a\r\nx: y" } })).rejects.toThrow(
      failure("InvalidArgument", /token is none/),
    )
    await expect(resolve(registry.host, { credentials: { registryToken: "other" } })).rejects.toThrow(
      failure("PermissionDenied", /401/),
    )
  })

  test("with a line break in it is no token", async () => {
    const registry: TestServer = await server((request, response) =>
      request.url?.startsWith("/token")
        ? response.end(JSON.stringify({ token: "a\r\nx: y" }))
        : response.writeHead(401, { "www-authenticate": bearer(`http://${registry.host}/token`) }).end(),
    )
    await expect(resolve(registry.host)).rejects.toThrow(failure("Unavailable", /without a token/))
  })
})

describe("a registry", () => {
  test("that sends a manifest without end is stopped at 4 MiB", async () => {
    const registry = await server((_, response) => {
      response.writeHead(200, { "content-type": MediaType.ociManifest })
      const timer = setInterval(() => response.write("x".repeat(1 << 20)), 1)
      response.on("close", () => clearInterval(timer))
    })
    await expect(resolve(registry.host)).rejects.toThrow(failure("DataLoss", /more than the expected 4194304 bytes/))
  })

  test("that sends an error without end is still only an error", async () => {
    const registry = await server((_, response) => {
      response.writeHead(404)
      const timer = setInterval(() => response.write("x".repeat(1 << 20)), 1)
      response.on("close", () => clearInterval(timer))
    })
    await expect(resolve(registry.host)).rejects.toThrow(failure("NotFound", /answered 404$/))
  })

  test("that never answers is given up", async () => {
    const registry = await server(() => {})
    await expect(resolve(registry.host)).rejects.toThrow(failure("Unavailable", /no response/))
  })

  test.each([0, 1])("that drips %d bytes at a time is given up", async (size) => {
    const registry = await server((_, response) => {
      response.writeHead(200, { "content-length": "100000" }).flushHeaders()
      const timer = setInterval(() => response.write("x".repeat(size)), 20)
      response.on("close", () => clearInterval(timer))
    })
    await expect(read(registry.host, blob(100_000))).rejects.toThrow(failure("Unavailable", /is too slow/))
  })

  test("that is fast while its reader is slow is not given up", async () => {
    const size = 3_000_000
    const registry = await server((_, response) => response.writeHead(200).end(Buffer.alloc(size)))
    const { bytes } = await (await source()).fetch(ref(registry.host), blob(size))
    let [received, pauses] = [0, 0]
    for await (const chunk of bytes) {
      received += chunk.length
      if (pauses++ < 2) await sleep(LIMITS.stallTimeoutMs * 1.5)
    }
    expect(received).toBe(size)
  })

  test.each([
    ["one byte less", 99, undefined, "Unavailable"],
    ["one byte more", 101, undefined, "DataLoss"],
    ["one byte less, and says so", 99, "99", "DataLoss"],
    ["one byte more, and says so", 101, "101", "DataLoss"],
  ])("that sends %s than a blob has is refused", async (_, size, length, code) => {
    const registry = await server((__, response) => {
      response.writeHead(200, length === undefined ? { "transfer-encoding": "chunked" } : { "content-length": length })
      response.end(Buffer.alloc(size))
    })
    await expect(read(registry.host, blob(100))).rejects.toThrow(expect.objectContaining({ code }))
  })

  test("that redirects in a circle is left", async () => {
    const registry: TestServer = await server((_, response) => redirect(`http://${registry.host}/again`)(_, response))
    await expect(resolve(registry.host)).rejects.toThrow(failure("Unavailable", /redirects more than 5 times/))
  })

  test.each(["http://169.254.169.254/", "file:///etc/passwd", "gopher://x/"])(
    "that redirects to %s is left",
    async (to) => {
      const registry = await server(redirect(to))
      await expect(resolve(registry.host)).rejects.toThrow(failure("PermissionDenied", /refused/))
    },
  )

  test("that sends another manifest than the digest asked for is refused", async () => {
    const registry = await server(sendManifest)
    const asked = { registry: registry.host, repository: "a/b", digest: digestOf("other") }
    await expect((await source()).resolve(asked)).rejects.toThrow(failure("DataLoss", /expected sha256:/))
  })

  test("lists its tags page by page, and cannot lead elsewhere or on without end", async () => {
    const elsewhere = await server(sendManifest)
    let page = 0
    const registry = await server((request, response) => {
      const last = new URL(request.url ?? "", "http://x").searchParams.get("last")
      const link = last === null ? `<http://${elsewhere.host}/v2/a/b/tags/list?last=one>; rel="next"` : undefined
      response.writeHead(200, link === undefined ? {} : { link }).end(JSON.stringify({ tags: [last ?? "none", "two"] }))
    })
    expect(await (await source()).tags(ref(registry.host))).toEqual(["none", "two", "one", "two"])
    expect(elsewhere.requests).toEqual([])
    const endless = await server((_, response) => {
      response.writeHead(200, { link: `</v2/a/b/tags/list?last=${page++}>; rel="next"` }).end('{"tags":["x"]}')
    })
    await expect((await source()).tags(ref(endless.host))).rejects.toThrow(failure("DataLoss", /more than 1000 pages/))
    const lying = await server((_, response) => void response.end('{"tags":["../../x"]}'))
    await expect((await source()).tags(ref(lying.host))).rejects.toThrow(failure("DataLoss", /no tag/))
  })

  test("that is busy is asked again, and quoted when it stays so", async () => {
    let answers = [503, 429, 200]
    const registry = await server((request, response) => {
      const status = answers.shift() ?? 500
      if (status === 200) sendManifest(request, response)
      else response.writeHead(status, { "retry-after": "0" }).end('{"errors":[{"code":"TOOMANYREQUESTS"}]}')
    })
    await resolve(registry.host)
    answers = []
    await expect(resolve(registry.host)).rejects.toThrow(failure("Unavailable", /answered 500 TOOMANYREQUESTS/))
    expect(registry.requests).toHaveLength(6)
    await expect(resolve(registry.host, { retries: 1, retryDelayMs: 1 })).rejects.toThrow(/answered 500/)
    expect(registry.requests).toHaveLength(8)
  })

  test("that cuts the connection is asked again", async () => {
    let cuts = 2
    const registry = await server((request, response) => {
      if (cuts-- > 0) request.socket.destroy()
      else sendManifest(request, response)
    })
    await resolve(registry.host)
  })

  test("on loopback is reached past the proxy of the environment", async () => {
    const registry = await server(sendManifest)
    Object.assign(process.env, { HTTP_PROXY: "http://127.0.0.1:1", HTTPS_PROXY: "http://127.0.0.1:1" })
    await resolve(registry.host)
    expect(registry.requests).toHaveLength(1)
  })

  test("is left at once when the pull is cancelled", async () => {
    const registry = await server(() => {})
    const stop = new AbortController()
    setTimeout(() => stop.abort(), 50)
    await expect(resolve(registry.host, { signal: stop.signal })).rejects.toThrow(failure("Cancelled", /cancelled/))
  })
})

describe("a range", () => {
  test("goes on where it was asked to, or says that it begins again", async () => {
    const text = "0123456789"
    const registry = await server((request, response) => {
      const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0)
      if (request.url?.includes("/norange/") || start === 0) response.end(text)
      else response.writeHead(206, { "content-range": `bytes ${start}-9/10` }).end(text.slice(start))
    })
    const opened = await source()
    const resumed = await opened.fetch(ref(registry.host), blob(10), 4)
    expect(resumed.offset).toBe(4)
    expect((await Array.fromAsync(resumed.bytes)).join("")).toBe("52,53,54,55,56,57".split(",").join(","))
    const again = await opened.fetch({ ...ref(registry.host), repository: "norange/x" }, blob(10), 4)
    expect(again.offset).toBe(0)
    for await (const _ of again.bytes);
  })

  test("from elsewhere than asked is refused", async () => {
    const registry = await server((_, response) =>
      response.writeHead(206, { "content-range": "bytes 2-9/10" }).end("23456789"),
    )
    await expect((await source()).fetch(ref(registry.host), blob(10), 4)).rejects.toThrow(
      failure("DataLoss", /from 2 on/),
    )
  })
})

/** Our own certificate becomes the one root that is trusted. */
const trust = () => {
  writeFileSync(join(directory, "ca.pem"), certificate?.cert ?? "")
  process.env.SSL_CERT_FILE = join(directory, "ca.pem")
}

describe.skipIf(!certificate)("TLS", () => {
  test("with a certificate nobody vouches for ends the pull: no plain request follows (CVE-2019-10214)", async () => {
    const registry = await server(sendManifest, true)
    await expect(resolve(registry.host)).rejects.toThrow(failure("Unavailable", /certificate is not trusted/))
    expect(registry.requests).toEqual([])
    await resolve(registry.host, { tlsVerify: false })
    trust()
    await resolve(registry.host, { tlsVerify: true })
  })

  test("takes the roots and our own certificate of certs.d", async () => {
    const registry = await server(sendManifest, true)
    const certs = join(directory, ".config/containers/certs.d", registry.host)
    mkdirSync(certs, { recursive: true })
    writeFileSync(join(certs, "ca.crt"), certificate?.cert ?? "")
    await resolve(registry.host, { tlsVerify: true })
    writeFileSync(join(certs, "client.cert"), certificate?.cert ?? "")
    await expect(resolve(registry.host)).rejects.toThrow(
      failure("InvalidArgument", /client\.cert" has no key beside it/),
    )
    writeFileSync(join(certs, "client.key"), certificate?.key ?? "")
    const strict = await serve(sendManifest, certificate, { requestClientCertificate: true })
    servers.push(strict)
    await expect(resolve(strict.host, { tlsVerify: false })).rejects.toThrow()
    cpSync(certs, join(directory, ".config/containers/certs.d", strict.host), { recursive: true })
    await resolve(strict.host, { tlsVerify: true })
  })

  test("takes those of --cert-dir instead, and for the registry alone", async () => {
    const registry = await server(sendManifest, true)
    const certDir = join(directory, "cert-dir")
    await expect(resolve(registry.host, { certDir })).rejects.toThrow(
      failure("NotFound", /no such directory of certificates/),
    )
    mkdirSync(certDir)
    writeFileSync(join(certDir, "ca.crt"), certificate?.cert ?? "")
    await resolve(registry.host, { certDir, tlsVerify: true })
    const leading = await server(redirect(`https://${registry.host}/`), true)
    await expect(resolve(leading.host, { certDir })).rejects.toThrow(/certificate is not trusted/)
  })

  test("is insisted on, also on loopback, when the user says so", async () => {
    const registry = await server(sendManifest)
    await expect(resolve(registry.host, { tlsVerify: true })).rejects.toThrow(
      failure("Unavailable", /does not speak TLS/),
    )
    expect(registry.requests).toEqual([])
  })

  test("is not left by a redirect", async () => {
    trust()
    const plain = await server(sendManifest)
    const registry = await server(redirect(`http://${plain.host}/`), true)
    await expect(resolve(registry.host)).rejects.toThrow(failure("PermissionDenied", /plain http/))
    expect(plain.requests).toEqual([])
  })

  test("lets a token come from another place by name, as Docker Hub's does, with the password", async () => {
    trust()
    const auth = await server((_, response) => response.end('{"token":"t"}'), true)
    const registry = await server(
      wanting(() => `Bearer realm="https://localhost:${auth.port}/t",service="s"`, sendManifest),
    )
    await resolve(registry.host, { credentials: SECRET })
    expect(auth.requests.map(({ headers }) => headers.authorization)).toEqual([`Basic ${btoa("anna:s3cret")}`])
    expect(registry.requests.at(-1)?.headers.authorization).toBe("Bearer t")
  })

  test("is checked where a token comes from and where a redirect leads", async () => {
    const other = await server((_, response) => response.end('{"token":"t"}'), true)
    const asking = await server(wanting(() => `Bearer realm="https://localhost:${other.port}/t"`, sendManifest))
    await expect(resolve(asking.host)).rejects.toThrow()
    const leading = await server(redirect(`https://${other.host}/`))
    await expect(resolve(leading.host)).rejects.toThrow(failure("Unavailable", /certificate is not trusted/))
    expect(other.requests).toEqual([])
  })

  test("a foreign layer's address gets no credentials, whatever it asks for (CVE-2020-15157)", async () => {
    trust()
    const foreign = await server(
      (_, response) => response.writeHead(401, { "www-authenticate": "Basic realm=x" }).end(),
      true,
    )
    const registry = await server(
      wanting(
        () => "Basic realm=x",
        (_, response) => response.writeHead(404).end(),
      ),
    )
    const mediaType = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
    const layer = blob(5, { mediaType, urls: [`https://evil:pw@${foreign.host}/l`, "http://x.invalid/"] })
    await expect(read(registry.host, layer, { credentials: SECRET })).rejects.toThrow(
      failure("PermissionDenied", /401/),
    )
    expect(foreign.requests.map(({ headers }) => headers.authorization)).toEqual([undefined])
  })
})
