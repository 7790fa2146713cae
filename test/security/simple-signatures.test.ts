/** Hostile simple signatures, keys and lookaside stores: what is not wholly right lets no image in. One user is enough. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { SIGSTORE_TYPE, SignedImage, type Claim } from "../support/signed-image.ts"

const image = new SignedImage("hostile/simple")
const { home, host, digest } = image
const simple = (claim: Claim = {}) =>
  image.payload({ type: "atomic container signature", rest: { optional: {} }, ...claim })
afterAll(() => image.close(), 60_000)

describe("a simple signature", () => {
  let alice: { fingerprint: string; file: string }
  const store = join(home.lookaside, `hostile/simple@sha256=${digest.slice(7)}`)
  beforeAll(() => {
    alice = home.gpgKey("alice")
  })

  function put(...signatures: (string | Uint8Array)[]): void {
    rmSync(store, { recursive: true, force: true })
    mkdirSync(store, { recursive: true })
    for (const [index, content] of signatures.entries()) writeFileSync(join(store, `signature-${index + 1}`), content)
    home.policy({ [host]: [{ type: "signedBy", keyType: "GPGKeys", keyPath: alice.file }] })
  }

  function gpg(content: string, ...words: string[]): Uint8Array {
    const input = home.write("input", content)
    const output = join(home.directory, "output")
    rmSync(output, { force: true })
    home.asUser("gpg", "--batch", "--yes", "--trust-model", "always", "--output", output, ...words, input)
    return home.asUser("cat", output)
  }
  const plain = (...words: string[]) => gpg(simple(), "--compress-algo", "none", ...words)
  const by = (key: string, content = simple()) => gpg(content, "--local-user", key, "--sign")

  test("that is right lets the image in", async () => {
    put(by(alice.fingerprint))
    await image.accepted()
  })

  test("of another image, name or type, or with unknown critical fields, is refused", async () => {
    const other = { "docker-manifest-digest": `sha256:${"1".repeat(64)}` }
    for (const [claim, reason] of [
      [{ image: other }, "of another image"],
      [{ identity: { "docker-reference": `${host}/x:1` } }, "which signedIdentity"],
      [{ type: SIGSTORE_TYPE }, "critical.type"],
      [{ critical: { more: 1 } }, 'field "more"'],
    ] as const) {
      put(by(alice.fingerprint, simple(claim)))
      expect(await image.refusal()).toContain(reason)
    }
  })

  test("of an expired, revoked or unknown key is refused", async () => {
    const mallory = home.gpgKey("mallory")
    put(by(mallory.fingerprint))
    expect(await image.refusal()).toContain("which is none of the policy's")
    const past = ["--faked-system-time", "20200101T000000"]
    const id = "old <old@tests.example>"
    home.asUser("gpg", ...past, "--batch", "--passphrase", "", "--quick-generate-key", id, "rsa2048", "sign", "1d")
    const old = gpg(simple(), ...past, "--local-user", "old@tests.example", "--sign")
    const file = home.write("old.gpg", home.asUser("gpg", "--batch", "--export", "old@tests.example"))
    put(old)
    home.policy({ [host]: [{ type: "signedBy", keyType: "GPGKeys", keyPath: file }] })
    expect(await image.refusal()).toContain("has expired")
    put(by(alice.fingerprint, simple()))
    const revoked = revokedCopy(mallory.fingerprint)
    put(gpg(simple(), "--local-user", alice.fingerprint, "--sign"))
    put(mallorySigned)
    home.policy({ [host]: [{ type: "signedBy", keyType: "GPGKeys", keyPath: revoked }] })
    expect(await image.refusal()).toContain("was revoked")
  }, 60_000)

  let mallorySigned: Uint8Array = new Uint8Array()
  function revokedCopy(fingerprint: string): string {
    mallorySigned = by(fingerprint)
    const path = join(home.gnupg, "openpgp-revocs.d", `${fingerprint}.rev`)
    const text = home
      .asUser("cat", path)
      .toString()
      .replace(/^:-----/m, "-----")
    home.asUser("gpg", "--batch", "--import", home.write("revocation", text))
    return home.write("revoked.gpg", home.asUser("gpg", "--batch", "--export", fingerprint))
  }

  test("that is no signed message is refused: plain, encrypted, detached, of two keys, garbage, empty", async () => {
    const second = home.gpgKey("second")
    const secret = home.write("secret", "pass")
    const symmetric = ["--pinentry-mode", "loopback", "--passphrase-file", secret, "--symmetric"]
    for (const message of [
      simple(),
      gpg(simple(), "--store"),
      gpg(simple(), ...symmetric),
      gpg(simple(), "--local-user", alice.fingerprint, "--detach-sign"),
      gpg(simple(), "--local-user", alice.fingerprint, "--local-user", second.fingerprint, "--sign"),
      Buffer.concat([plain("--local-user", alice.fingerprint, "--sign"), plain("--store")]),
      Buffer.concat([plain("--store"), plain("--local-user", alice.fingerprint, "--sign")]),
      new Uint8Array(1000).fill(0xa3),
      "",
    ]) {
      put(message)
      expect(await image.refusal()).toContain("is not let in")
    }
  }, 60_000)

  test("that unpacks to gigabytes takes neither disk nor time", async () => {
    const bomb = gpg(" ".repeat(50_000_000), "--local-user", alice.fingerprint, "--compress-algo", "zlib", "--sign")
    expect(bomb.length).toBeLessThan(200_000)
    put(bomb)
    expect(await image.refusal()).toContain("is not let in")
  }, 60_000)

  test("in a store of too many, too large or unreadable files is refused", async () => {
    put(...Array.from({ length: 129 }, () => "x"))
    expect(await image.refusal()).toContain("more than 128 signatures")
    put(new Uint8Array(300_000))
    expect(await image.refusal()).toContain("has 300000 bytes")
    put()
    symlinkSync("/dev/zero", join(store, "signature-1"))
    expect(await image.refusal()).toContain("no regular file")
  })

  test("from a web server counts; one that fails, floods or leads elsewhere lets nothing in", async () => {
    put(by(alice.fingerprint))
    const good = by(alice.fingerprint)
    let answer: (path: string) => { status: number; headers?: Record<string, string>; body?: Uint8Array | string }
    const server = await listening((path) => answer(path))
    home.registriesD({ lookaside: `http://127.0.0.1:${(server.address() as AddressInfo).port}/s` })
    const path = `/s/hostile/simple@sha256=${digest.slice(7)}/signature-1`
    try {
      answer = (asked) => (asked === path ? { status: 200, body: good } : { status: 404 })
      await image.accepted()
      answer = () => ({ status: 500 })
      expect(await image.refusal()).toContain("answers 500")
      answer = () => ({ status: 200, body: new Uint8Array(1_000_000) })
      expect(await image.refusal()).toContain("sent more than")
      answer = () => ({ status: 302, headers: { location: "http://169.254.169.254/latest" } })
      expect(await image.refusal()).toContain("refused")
      answer = () => ({ status: 302, headers: { location: "file:///etc/passwd" } })
      expect(await image.refusal()).toContain("refused")
    } finally {
      server.close()
      home.registriesD({ lookaside: `file://${home.lookaside}` })
    }
  })
})

async function listening(
  answer: (path: string) => { status: number; headers?: Record<string, string>; body?: Uint8Array | string },
): Promise<Server> {
  const server = createServer((request, response) => {
    const { status, headers, body } = answer(request.url ?? "")
    response.writeHead(status, headers)
    response.end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return server
}
