/** Hostile certificates and entries of logs: a signature of nobody in particular lets no image in. One user is enough. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import { createHash, generateKeyPairSync, sign, type KeyObject } from "node:crypto"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { SIGNATURE, SignedImage, type SignatureLayer } from "../support/signed-image.ts"

const image = new SignedImage("hostile/certified")
const { home } = image
/** Fulcio's first form of the issuer is its bare bytes. */
const issuerExtension = (text: string) => `1.3.6.1.4.1.57264.1.1=DER:${Buffer.from(text).toString("hex")}`
afterAll(() => image.close(), 60_000)

describe("a certificate", () => {
  const log = generateKeyPairSync("ec", { namedCurve: "P-256" })
  const logKey = home.write("rekor.pub", log.publicKey.export({ type: "spki", format: "pem" }))
  const ISSUER = "https://login.example"
  const EMAIL = "anna@tests.example"
  const fulcio = (roots: string, changes: object = {}) =>
    image.sigstorePolicy({
      fulcio: { caPath: roots, oidcIssuer: ISSUER, subjectEmail: EMAIL, ...changes },
      rekorPublicKeyPath: logKey,
    })

  const openssl = (...words: string[]) => {
    const { status, stderr } = spawnSync("openssl", words, { cwd: home.directory })
    if (status !== 0) throw new Error(stderr.toString())
  }
  const at = (file: string) => join(home.directory, file)
  const read = (file: string) => readFileSync(at(file), "utf8")

  /** A certificate of `issuer`'s; without one, its own. */
  function certificate(file: string, issuer: string | undefined, extensions: string[], days = "3650"): void {
    const config = home.write(`${file}.cnf`, `[req]\ndistinguished_name=dn\n[dn]\n[e]\n${extensions.join("\n")}\n`)
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", `${file}.key`)
    openssl("req", "-new", "-key", `${file}.key`, "-subj", `/CN=${file}`, "-config", config, "-out", `${file}.csr`)
    const by = issuer === undefined ? ["-signkey", `${file}.key`] : ["-CA", `${issuer}.pem`, "-CAkey", `${issuer}.key`]
    const serial = ["-set_serial", String(Math.floor(Math.random() * 1e9))]
    const more = [...serial, "-days", days, "-extfile", config, "-extensions", "e", "-out", `${file}.pem`]
    openssl("x509", "-req", "-in", `${file}.csr`, ...by, ...more)
  }
  const CA = ["basicConstraints=critical,CA:true", "keyUsage=critical,keyCertSign"]
  const LEAF = [
    "keyUsage=critical,digitalSignature",
    "extendedKeyUsage=codeSigning",
    `subjectAltName=critical,email:${EMAIL}`,
  ]
  const leaf = (issuer = ISSUER, changes: string[] = []) => [...LEAF, issuerExtension(issuer), ...changes]

  interface Logged {
    when?: Date
    logKey?: KeyObject
    signer?: string
    certificate?: string
    payload?: string
  }

  /** The image's signature by the certificate's key, with the log's promise. */
  function logged(
    file: string,
    { when = new Date(), logKey: by = log.privateKey, ...changes }: Logged = {},
  ): SignatureLayer {
    const payload = image.payload()
    const signature = sign("sha256", Buffer.from(payload), read(`${changes.signer ?? file}.key`)).toString("base64")
    const hash = createHash("sha256")
      .update(changes.payload ?? payload)
      .digest("hex")
    const content = Buffer.from(read(`${changes.certificate ?? file}.pem`)).toString("base64")
    const spec = {
      data: { hash: { algorithm: "sha256", value: hash } },
      signature: { content: signature, publicKey: { content } },
    }
    const body = Buffer.from(JSON.stringify({ apiVersion: "0.0.1", kind: "hashedrekord", spec })).toString("base64")
    const integratedTime = Math.floor(when.getTime() / 1000)
    const Payload = { body, integratedTime, logID: "00", logIndex: 1 }
    const SignedEntryTimestamp = sign("sha256", Buffer.from(JSON.stringify(Payload)), by).toString("base64")
    return {
      payload,
      annotations: {
        [SIGNATURE]: signature,
        "dev.sigstore.cosign/bundle": JSON.stringify({ SignedEntryTimestamp, Payload }),
        "dev.sigstore.cosign/certificate": read(`${file}.pem`),
        "dev.sigstore.cosign/chain": `${read("between.pem")}${read("root.pem")}`,
      },
    }
  }

  beforeAll(() => {
    certificate("root", undefined, CA)
    certificate("between", "root", CA)
    certificate("anna", "between", leaf())
    certificate("evil", undefined, CA)
    certificate("evilleaf", "evil", leaf())
    certificate("notca", "between", leaf())
    certificate("below", "notca", leaf())
    certificate("otherissuer", "between", leaf("https://evil.example"))
    certificate("noissuer", "between", LEAF)
    certificate("tls", "between", [
      ...leaf().filter((each) => !each.startsWith("extended")),
      "extendedKeyUsage=serverAuth",
    ])
    certificate("critical", "between", leaf(ISSUER, ["1.2.3.4=critical,DER:0500"]))
    certificate("short", "between", leaf(), "1")
  }, 60_000)

  test("of the right authority, issuer and person, in the log, lets the image in", async () => {
    fulcio(at("root.pem"))
    await image.attach(logged("anna"))
    await image.accepted()
  })

  test("that is not wholly right is refused for its own reason", async () => {
    const later = new Date(Date.now() + 3 * 86_400_000)
    const stranger = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey
    const other = logged("anna")
    const { "dev.sigstore.cosign/bundle": _, ...unlogged } = other.annotations
    for (const [layer, reason] of [
      [logged("evilleaf"), "none of the policy's authorities"],
      [logged("below"), "none of the policy's authorities"],
      [logged("otherissuer"), 'a login at "https://evil.example"'],
      [logged("noissuer"), "was made for a login at"],
      [logged("tls"), "not for signing"],
      [logged("critical"), "critical extension"],
      [logged("short", { when: later }), "was not valid at"],
      [logged("anna", { logKey: stranger }), "the log that it names is none of the policy's"],
      [logged("anna", { certificate: "short" }), "signature by another key"],
      [logged("anna", { payload: "other" }), "another payload"],
      [logged("anna", { signer: "short" }), "none of the policy's keys"],
      [{ ...other, annotations: unlogged }, "it is in no log"],
    ] as const) {
      fulcio(at("root.pem"))
      await image.attach(layer)
      expect(await image.refusal()).toContain(reason)
    }
    await image.attach(logged("anna"))
    fulcio(at("root.pem"), { subjectEmail: "eve@tests.example" })
    expect(await image.refusal()).toContain(`its certificate names "${EMAIL}"`)
  }, 60_000)

  test("of one's own authority counts for as long as it is valid, and for whom it names", async () => {
    const pki = (changes: object = {}) =>
      image.sigstorePolicy({ pki: { caRootsPath: at("root.pem"), subjectEmail: EMAIL, ...changes } })
    pki()
    await image.attach(logged("anna"))
    await image.accepted()
    pki({ subjectEmail: "eve@tests.example" })
    expect(await image.refusal()).toContain("its certificate names")
    pki({ caRootsPath: at("evil.pem") })
    expect(await image.refusal()).toContain("none of the policy's authorities")
    certificate("expired", "between", leaf(), "-1")
    pki()
    await image.attach(logged("expired"))
    expect(await image.refusal()).toContain("was not valid at")
  })
})
