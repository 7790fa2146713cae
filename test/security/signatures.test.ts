/** Hostile signatures of sigstore, and policies that cannot be followed: what is not wholly right lets no image in. One user is enough. */
import { afterAll, describe, expect, test } from "bun:test"
import { generateKeyPairSync } from "node:crypto"
import { SIGNATURE, SignedImage, type SignatureLayer } from "../support/signed-image.ts"

const image = new SignedImage("hostile/signed")
const { home, host, digest, keys, publicKey } = image
afterAll(() => image.close(), 60_000)

describe("a sigstore signature", () => {
  test("that is right lets the image in: the others fail for their own reason", async () => {
    image.sigstorePolicy()
    await image.attach(image.layer(image.payload()))
    await image.accepted()
  })

  const other = `sha256:${"0".repeat(64)}`
  test.each<[string, SignatureLayer, RegExp]>([
    [
      "of another image",
      image.layer(image.payload({ image: { "docker-manifest-digest": other } })),
      /of another image, sha256:0/,
    ],
    [
      "of another name",
      image.layer(image.payload({ identity: { "docker-reference": `${host}/hostile/other:1` } })),
      /which signedIdentity/,
    ],
    [
      "of another tag",
      image.layer(image.payload({ identity: { "docker-reference": `${host}/hostile/signed:2` } })),
      /which signedIdentity/,
    ],
    [
      "of a repository alone",
      image.layer(image.payload({ identity: { "docker-reference": `${host}/hostile/signed` } })),
      /use matchRepository/,
    ],
    [
      "of a name that is none",
      image.layer(image.payload({ identity: { "docker-reference": "../../etc" } })),
      /which signedIdentity/,
    ],
    [
      "of the other kind",
      image.layer(image.payload({ type: "atomic container signature" })),
      /critical\.type is "atomic/,
    ],
    [
      "with an unknown critical field",
      image.layer(image.payload({ critical: { expires: 1 } })),
      /field "expires" that skiff does not know/,
    ],
    [
      "with an unknown field",
      image.layer(image.payload({ rest: { optional: {}, more: 1 } })),
      /field "more" that skiff does not know/,
    ],
    [
      "with another digest beside",
      image.layer(image.payload({ image: { "docker-manifest-digest": digest, oci: other } })),
      /field "oci"/,
    ],
    ["without a digest", image.layer(image.payload({ image: {} })), /no "docker-manifest-digest"/],
    [
      "with a list for a digest",
      image.layer(image.payload({ image: { "docker-manifest-digest": [digest] } })),
      /has no digest/,
    ],
    ["of no JSON", image.layer("signed"), /payload is not JSON/],
    ["of a JSON list", image.layer("[]"), /payload is not an object/],
    [
      "of a huge payload",
      image.layer(image.payload({ rest: { optional: { a: "a".repeat(70_000) } } })),
      /has \d+ bytes/,
    ],
    [
      "by another key",
      {
        payload: image.payload(),
        annotations: {
          [SIGNATURE]: image.sign(image.payload(), generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey),
        },
      },
      /none of the policy's keys/,
    ],
    [
      "of another payload",
      { payload: image.payload(), annotations: { [SIGNATURE]: image.sign("other") } },
      /none of the policy's keys/,
    ],
    [
      "that is no base64",
      { payload: image.payload(), annotations: { [SIGNATURE]: "§§§" } },
      /none of the policy's keys/,
    ],
    ["that is empty", { payload: image.payload(), annotations: { [SIGNATURE]: "" } }, /none of the policy's keys/],
    ["that is not there", { payload: image.payload(), annotations: {} }, /it has no dev\.cosignproject/],
  ])("%s is refused", async (_, layer, reason) => {
    image.sigstorePolicy()
    await image.attach(layer)
    expect(await image.refusal()).toMatch(reason)
  })

  test("among more than 128 is not looked for", async () => {
    image.sigstorePolicy()
    await image.attach(
      ...Array.from({ length: 129 }, (_, index) => image.layer(image.payload({ rest: { optional: { index } } }))),
    )
    expect(await image.refusal()).toContain("more than 128 signatures")
  }, 60_000)

  test("behind 127 wrong ones is found", async () => {
    image.sigstorePolicy()
    const wrong = Array.from({ length: 20 }, (_, index) => image.layer(image.payload({ critical: { index } })))
    await image.attach(...wrong, image.layer(image.payload()))
    await image.accepted()
  })

  test("in an index instead of a manifest is refused", async () => {
    image.sigstorePolicy()
    const mediaType = "application/vnd.oci.image.index.v1+json"
    await image.putSignatures(mediaType, { schemaVersion: 2, mediaType, manifests: [] })
    expect(await image.refusal()).toContain("are an index")
  })

  test("of one key is not one of another requirement", async () => {
    await image.attach(image.layer(image.payload()))
    const wrong = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey
    const both = [publicKey, home.write("second.pub", wrong.export({ type: "spki", format: "pem" }))]
    home.policy({ [host]: both.map((keyPath) => ({ type: "sigstoreSigned", keyPath })) })
    expect(await image.refusal()).toContain("none of the policy's keys")
  })
})

describe("a signature that refers to the image", () => {
  const other = new SignedImage("hostile/referred")
  afterAll(() => other.close(), 60_000)

  test("counts as one under cosign's tag does, and is refused for the same reasons", async () => {
    const type = "application/vnd.dev.cosign.artifact.sig.v1+json"
    other.sigstorePolicy()
    expect(await other.refusal()).toContain("there is none in its repository")
    await other.refer(type, other.layer(other.payload({ identity: { "docker-reference": `${host}/x:1` } })))
    expect(await other.refusal()).toContain("which signedIdentity")
    await other.refer(type, other.layer(other.payload()))
    await other.accepted()
    await other.refer("application/vnd.example", other.layer(other.payload()))
    expect(await other.refusal()).toContain("there is none in its repository")
  })

  test("as a bundle names no repository, and is none", async () => {
    other.sigstorePolicy()
    await other.refer("application/vnd.dev.sigstore.bundle.v0.3+json", other.layer(other.payload()))
    expect(await other.refusal()).toContain("it is a bundle, which names no repository")
  })
})

describe("a policy", () => {
  test.each<[string, object, RegExp]>([
    ["of an unknown type", { type: "trusted" }, /unknown type of requirement "trusted"/],
    ["with an unknown field", { type: "sigstoreSigned", keyPath: publicKey, notAfter: 1 }, /unknown field "notAfter"/],
    ["with two sources of keys", { type: "sigstoreSigned", keyPath: publicKey, keyData: "AAAA" }, /exactly one of/],
    ["with no key", { type: "sigstoreSigned" }, /exactly one of/],
    ["with a key that is not there", { type: "sigstoreSigned", keyPath: "/no/key" }, /cannot read the key "\/no\/key"/],
    [
      "with a private key",
      {
        type: "sigstoreSigned",
        keyData: Buffer.from(keys.privateKey.export({ type: "pkcs8", format: "pem" })).toString("base64"),
      },
      /no public key in PEM/,
    ],
    [
      "with an unknown identity",
      { type: "sigstoreSigned", keyPath: publicKey, signedIdentity: { type: "any" } },
      /unknown signedIdentity "any"/,
    ],
    [
      "with Fulcio and no log",
      { type: "sigstoreSigned", fulcio: { caData: "AAAA", oidcIssuer: "a", subjectEmail: "b" } },
      /needs rekorPublicKeyPath/,
    ],
    [
      "with other keys than GPG's",
      { type: "signedBy", keyType: "X509Certificates", keyPath: publicKey },
      /no engine implements/,
    ],
    [
      "with a key that is none of GPG's",
      { type: "signedBy", keyType: "GPGKeys", keyPath: publicKey },
      /is no OpenPGP public key|there is none/,
    ],
  ])("%s lets nothing in", async (_, requirement, reason) => {
    home.policy({ [host]: [requirement] })
    await image.attach(image.layer(image.payload()))
    expect(await image.refusal()).toMatch(reason)
  })

  test("for a host is none for the same host with another port, nor for one that begins so", async () => {
    const accept = [{ type: "insecureAcceptAnything" }]
    home.policy({ "127.0.0.1": accept, [host.slice(0, -1)]: accept, "127.0.0.1:5": accept, [`${host}/host`]: accept })
    expect(await image.refusal()).toContain("rejects images of")
  })
})
