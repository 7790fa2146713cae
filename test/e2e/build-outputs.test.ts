/**
 * `skiff build`: what is attested, in which forms a result leaves, for several platforms, and whether it comes out twice.
 *
 * One user is enough.
 */
import { describe, expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { build, built, makeContext } from "../support/build.ts"
import { serveText } from "../support/http.ts"
import { sharedRegistry } from "../support/registry.ts"
import { openStore } from "../support/store.ts"

const skiff = openStore()
const registry = await sharedRegistry()

interface Descriptor {
  digest: string
  mediaType: string
  platform?: { architecture: string }
  annotations?: Record<string, string>
}
interface Manifest {
  layers: Descriptor[]
  subject?: Descriptor
}

const SPDX = "https://spdx.dev/Document"
const CYCLONEDX = "https://cyclonedx.org/bom"
const SLSA = "https://slsa.dev/provenance/v1"
const OCI = "application/vnd.oci.image"

async function get<T>(path: string): Promise<T> {
  const accept = [`${OCI}.manifest.v1+json`, `${OCI}.index.v1+json`, "*/*"].join(", ")
  const response = await fetch(`http://${registry.host}/v2/${path}`, { headers: { accept } })
  if (!response.ok) throw new Error(`${path}: ${response.status}`)
  return (await response.json()) as T
}

/** The statements that the registry lists for a manifest, by their predicates. */
async function attestedAt(
  repository: string,
  digest: string,
): Promise<Map<string, { subject: object[]; predicate: never }>> {
  const list = await get<{ manifests: Descriptor[] }>(`${repository}/manifests/${digest.replace(":", "-")}`)
  const statements = new Map<string, { subject: object[]; predicate: never }>()
  for (const { digest: own, annotations } of list.manifests) {
    const { layers, subject } = await get<Manifest>(`${repository}/manifests/${own}`)
    expect(subject?.digest).toBe(digest)
    statements.set(
      annotations?.["in-toto.io/predicate-type"] ?? "",
      await get(`${repository}/blobs/${layers[0]?.digest}`),
    )
  }
  return statements
}

const place = (name: string) => join(skiff.home, name)
const skopeo = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync("skopeo", args)
  if (status !== 0) throw new Error(`skopeo ${args.join(" ")}: ${stderr}`)
  return stdout.toString()
}
const imageIds = async () => (await skiff.ok("images", "-aq", "--no-trunc")).split("\n").toSorted()

const NPM = { "package.json": `{"name":"@s/left","version":"1.2.3","license":"MIT"}` }
const PLATFORMS = ["--platform", "linux/amd64,linux/arm64"]
const PER_PLATFORM = { Dockerfile: "FROM scratch\nARG TARGETARCH\nCOPY Dockerfile /for-$TARGETARCH\n" }

describe("attestations", () => {
  test("go to the registry with the image, and tell no secret", async () => {
    await using server = await serveText("downloaded")
    const name = `${registry.host}/attested/app`
    const url = `http://127.0.0.1:${server.port}/file`
    const secret = place("secret")
    writeFileSync(secret, "s3cret-bytes")
    const dockerfile = `FROM busybox
ARG PROXY
ADD ${url.replace("://", "://user:passw0rd@")}?token=t0ken /file
COPY package.json /app/node_modules/@s/left/
RUN --mount=type=secret,id=one,env=ONE test -n "$ONE"
`
    const flags = [
      "-t",
      `${name}:1`,
      "--push",
      "--attest",
      "type=sbom",
      "--provenance=mode=max",
      "--metadata-file",
      place("m.json"),
    ]
    const args = ["--secret", `id=one,src=${secret}`, "--build-arg", "PROXY=http://u:passw0rd@proxy"]
    const outcome = await build(skiff, { Dockerfile: dockerfile, ...NPM }, ...flags, ...args)
    expect(outcome).toMatchObject({ code: 0 })
    const metadata = JSON.parse(readFileSync(place("m.json"), "utf8")) as Record<string, unknown>
    const digest = metadata["containerimage.digest"] as string
    expect((metadata["containerimage.descriptor"] as Descriptor).digest).toBe(digest)
    const statements = await attestedAt("attested/app", digest)
    expect([...statements.keys()].toSorted()).toEqual([SLSA, SPDX])
    for (const { subject } of statements.values())
      expect(subject).toEqual([expect.objectContaining({ digest: { sha256: digest.slice("sha256:".length) } })])
    expect(JSON.stringify(statements.get(SPDX))).toContain("pkg:npm/%40s/left@1.2.3")
    const provenance = statements.get(SLSA)?.predicate as unknown as {
      buildDefinition: { resolvedDependencies: { uri: string; digest: object }[]; externalParameters: object }
      runDetails: { metadata: { startedOn: string; finishedOn: string } }
    }
    expect(metadata["buildx.build.provenance"]).toEqual(provenance)
    expect(provenance.buildDefinition.resolvedDependencies).toEqual([
      {
        uri: `${url}?token=REDACTED`,
        digest: { sha256: new Bun.CryptoHasher("sha256").update("downloaded").digest("hex") },
      },
      { uri: "pkg:docker/busybox@latest?platform=linux%2Famd64", digest: { sha256: expect.any(String) } },
    ])
    const { startedOn, finishedOn } = provenance.runDetails.metadata
    expect(Date.parse(startedOn)).toBeLessThanOrEqual(Date.parse(finishedOn))
    const text = JSON.stringify([...statements.values()])
    for (const told of ["s3cret-bytes", "passw0rd", "t0ken", skiff.directory]) expect(text).not.toContain(told)
    expect(text).toContain("build-arg:PROXY")
  })

  test("mode=min tells neither arguments nor the Dockerfile", async () => {
    await built(
      skiff,
      { Dockerfile: "FROM busybox\nARG WORD\nRUN echo $WORD\n" },
      "-t",
      "min",
      "--provenance",
      "--build-arg",
      "WORD=tell-me",
    )
    const text = await skiff.ok("image", "attestations", "--print", "provenance", "min")
    expect(text).not.toContain("tell-me")
    expect(JSON.parse(text)).toMatchObject({
      buildDefinition: {
        externalParameters: { configSource: { path: "Dockerfile" }, request: { frontend: "dockerfile.v0" } },
      },
    })
  })

  test("lie in the store with the image, go out with a later push, and go with the image", async () => {
    const name = `${registry.host}/attested/later:1`
    const blobs = () => readdirSync(join(skiff.root, "blobs/sha256")).length
    // what earlier pushes compressed goes first
    await skiff.ok("image", "prune", "-f")
    const before = blobs()
    await built(skiff, { Dockerfile: "FROM busybox\nRUN echo later > /x\n" }, "-t", name, "--sbom=format=cyclonedx")
    expect(await skiff.ok("image", "attestations", "--format", "{{.Type}} {{.PredicateType}}", name)).toBe(
      `sbom ${CYCLONEDX}`,
    )
    expect(JSON.parse(await skiff.ok("image", "attestations", "--print", "sbom", name))).toMatchObject({
      bomFormat: "CycloneDX",
      specVersion: "1.6",
    })
    const pushed = /digest: (sha256:\w+)/.exec(await skiff.ok("push", name))?.[1] ?? ""
    expect([...(await attestedAt("attested/later", pushed)).keys()]).toEqual([CYCLONEDX])
    await skiff.ok("rmi", name)
    expect(blobs()).toBe(before)
  })

  test("lie beside files, each about them; a file of their name is in the way", async () => {
    const files = { Dockerfile: "FROM scratch\nCOPY package.json /node_modules/@s/left/\n", ...NPM }
    const directory = place("beside")
    await skiff.ok(
      "build",
      "--sbom",
      "--provenance",
      "-o",
      `type=local,dest=${directory},attestation-prefix=my-`,
      makeContext(skiff, files),
    )
    expect(readdirSync(directory).toSorted()).toEqual(["my-provenance.json", "my-sbom.spdx.json", "node_modules"])
    const sha256 = new Bun.CryptoHasher("sha256").update(NPM["package.json"]).digest("hex")
    expect(JSON.parse(readFileSync(join(directory, "my-sbom.spdx.json"), "utf8"))).toMatchObject({
      subject: [{ name: "node_modules/@s/left/package.json", digest: { sha256 } }],
      predicateType: SPDX,
    })
    const clash = { Dockerfile: "FROM scratch\nCOPY Dockerfile /provenance.json\n" }
    const { code, stderr } = await build(skiff, clash, "--provenance", "-o", place("clash"))
    expect(code).toBe(1)
    expect(stderr).toContain("attestation-prefix")
  })

  test("are made of nothing that was not asked for", async () => {
    const name = `${registry.host}/attested/none:1`
    await built(skiff, { Dockerfile: "FROM busybox\n" }, "-t", name, "--push")
    expect(await skiff.ok("image", "attestations", "-q", name)).toBe("")
    const tags = await get<{ tags: string[] }>("attested/none/tags/list")
    expect(tags.tags).toEqual(["1"])
  })
})

describe("several platforms", () => {
  test("are one index in the registry, each with its own attestations; rmi takes all", async () => {
    const name = `${registry.host}/many/x:1`
    const before = await imageIds()
    const flags = ["--annotation", "index:who=me", "--annotation", "manifest[linux/arm64]:only=arm"]
    await built(skiff, PER_PLATFORM, ...PLATFORMS, "-t", name, "--sbom", ...flags)
    await skiff.ok("push", name)
    const index = await get<{ manifests: Descriptor[]; annotations: object }>("many/x/manifests/1")
    expect(index.annotations).toEqual({ who: "me" })
    expect(index.manifests.map(({ platform }) => platform?.architecture)).toEqual(["amd64", "arm64"])
    for (const { digest, platform } of index.manifests) {
      expect([...(await attestedAt("many/x", digest)).keys()]).toEqual([SPDX])
      const manifest = await get<Descriptor>(`many/x/manifests/${digest}`)
      expect(manifest.annotations).toEqual(platform?.architecture === "arm64" ? { only: "arm" } : undefined)
    }
    await skiff.ok("image", "prune", "-f")
    await skiff.ok("rmi", name)
    expect(await imageIds()).toEqual(before)
  })

  test("may come one after the other: --manifest adds to the index; the name alone means this machine's", async () => {
    const name = `${registry.host}/many/added:1`
    const [own, foreign] = process.arch === "arm64" ? ["arm64", "amd64"] : ["amd64", "arm64"]
    for (const arch of [foreign, own, foreign])
      await built(skiff, PER_PLATFORM, "--platform", `linux/${arch}`, "--manifest", name, "--label", `of=${arch}`)
    expect(await skiff.ok("image", "inspect", "-f", "{{.Architecture}}", name)).toBe(own)
    await skiff.ok("push", name)
    const index = await get<{ manifests: Descriptor[] }>("many/added/manifests/1")
    expect(index.manifests.map(({ platform }) => platform?.architecture)).toEqual([own, foreign])
    await skiff.ok("rmi", name)
  })

  test("are one archive, and a directory each", async () => {
    const before = await imageIds()
    const archive = place("many.oci")
    await skiff.ok(
      "build",
      ...PLATFORMS,
      "--provenance",
      "-o",
      `type=oci,dest=${archive}`,
      makeContext(skiff, PER_PLATFORM),
    )
    for (const arch of ["amd64", "arm64"]) {
      const config = JSON.parse(
        skopeo("inspect", "--override-arch", arch, "--config", "--raw", `oci-archive:${archive}`),
      ) as object
      expect(config).toMatchObject({ architecture: arch })
    }
    const directory = place("many")
    await skiff.ok("build", ...PLATFORMS, "-o", directory, makeContext(skiff, PER_PLATFORM))
    expect(readdirSync(directory).toSorted()).toEqual(["linux_amd64", "linux_arm64"])
    expect(existsSync(join(directory, "linux_arm64", "for-arm64"))).toBe(true)
    const tar = place("many.tar")
    await skiff.ok("build", ...PLATFORMS, "--sbom", "-o", `type=tar,dest=${tar}`, makeContext(skiff, PER_PLATFORM))
    const names = spawnSync("tar", ["-tf", tar]).stdout.toString().trim().split("\n").toSorted()
    expect(names).toEqual(
      ["amd64", "arm64"].flatMap((arch) =>
        ["", `for-${arch}`, "sbom.spdx.json"].map((file) => `linux_${arch}/${file}`),
      ),
    )
    // none of this is an image in the store
    expect(await imageIds()).toEqual(before)
  })

  test("are nothing for a docker archive, and a RUN of a foreign one says what is missing", async () => {
    const { code, stderr } = await build(skiff, PER_PLATFORM, ...PLATFORMS, "-o", `type=docker,dest=${place("x")}`)
    expect(code).toBe(1)
    expect(stderr).toContain("one platform")
    // the head of a program for riscv64
    const program = Buffer.concat([Buffer.from("7f454c460201010000000000000000000200f300", "hex"), Buffer.alloc(100)])
    const context = makeContext(skiff, { Dockerfile: "FROM scratch\nCOPY --chmod=755 program /bin/sh\nRUN true\n" })
    writeFileSync(join(context, "program"), program, { mode: 0o644 })
    const foreign = await skiff.run(["build", "--platform", "linux/riscv64", context])
    expect(foreign.code).toBe(1)
    expect(foreign.stderr).toContain("cannot run programs for linux/riscv64")
  })
})

describe("outputs", () => {
  test("an archive alone leaves no image in the store; skopeo and skiff read it, attestations and all", async () => {
    const before = await imageIds()
    const dockerfile = { Dockerfile: "FROM busybox\nRUN echo archive > /x\n" }
    for (const type of ["oci", "docker"]) {
      const archive = place(`${type}.tar`)
      const attest = type === "oci" ? ["--sbom"] : []
      await skiff.ok(
        "build",
        "-t",
        "archived:1",
        ...attest,
        "-o",
        `type=${type},dest=${archive}`,
        makeContext(skiff, dockerfile),
      )
      expect(await imageIds()).toEqual(before)
      const { Digest } = JSON.parse(skopeo("inspect", `${type}-archive:${archive}`)) as { Digest: string }
      expect(Digest).toStartWith("sha256:")
      expect(await skiff.ok("load", "-q", "-i", archive)).toContain("archived:1")
      expect(await skiff.ok("image", "attestations", "--format", "{{.Type}}", "archived:1")).toBe(
        type === "oci" ? "sbom" : "",
      )
      expect(await skiff.ok("run", "--rm", "--network", "none", "archived:1", "cat", "/x")).toBe("archive")
      await skiff.ok("rmi", "archived:1")
    }
  })

  test("an OCI layout may be a directory, in a form of its own", async () => {
    const directory = place("layout")
    const dockerfile = { Dockerfile: "FROM busybox\nRUN echo layout > /x\n" }
    const output = `type=oci,dest=${directory},tar=false,compression=uncompressed,force-compression=true`
    await skiff.ok("build", "-t", "layout:1", "-o", output, makeContext(skiff, dockerfile))
    const { layers } = JSON.parse(skopeo("inspect", "--raw", `oci:${directory}:1`)) as Manifest
    for (const { mediaType } of layers) expect(mediaType).toBe(`${OCI}.layer.v1.tar`)
    await skiff.ok("load", "-i", directory)
    expect(await skiff.ok("run", "--rm", "--network", "none", "layout:1", "cat", "/x")).toBe("layout")
    await skiff.ok("rmi", "layout:1")
  })

  test("type=image with push, without store, in a form of its own", async () => {
    const before = await imageIds()
    const name = `${registry.host}/form/x`
    const output = `type=image,name=${name}:1,push=true,store=false,compression=zstd,compression-level=3,force-compression=true`
    await skiff.ok("build", "-o", output, makeContext(skiff, { Dockerfile: "FROM busybox\nRUN echo form > /x\n" }))
    expect(await imageIds()).toEqual(before)
    const { layers } = await get<Manifest>("form/x/manifests/1")
    expect(layers.length).toBeGreaterThan(1)
    for (const { mediaType } of layers) expect(mediaType).toEndWith("zstd")
    const byDigest = `type=image,name=${name},push=true,push-by-digest=true,name-canonical=true`
    const flags = ["--metadata-file", place("digest.json"), "-o", byDigest]
    await skiff.ok("build", ...flags, makeContext(skiff, { Dockerfile: "FROM busybox\nRUN echo digest > /x\n" }))
    const { "containerimage.digest": digest } = JSON.parse(readFileSync(place("digest.json"), "utf8")) as Record<
      string,
      string
    >
    expect((await get<Manifest>(`form/x/manifests/${digest}`)).layers.length).toBeGreaterThan(1)
    expect((await get<{ tags: string[] }>("form/x/tags/list")).tags).toEqual(["1"])
  })
})

describe("--verify-reproducible", () => {
  const EPOCH = ["--source-date-epoch", "1700000000"]

  test("passes what comes out twice, and gives the same digest again", async () => {
    const files = { Dockerfile: "FROM busybox\nCOPY a /a\nRUN mkdir /d && echo x > /d/x && ln -s x /d/y\n", a: "a" }
    const first = await built(skiff, files, "--verify-reproducible", ...EPOCH)
    const anew = await built(skiff, files, "--no-cache", "--rewrite-timestamp", ...EPOCH)
    expect(anew).toBe(first)
  })

  test.each([
    ["content", "RUN cat /proc/sys/kernel/random/uuid > /r", '"/r" differs in content'],
    ["a name", "RUN touch /$(cat /proc/sys/kernel/random/uuid)", "exists only in the"],
  ])("names %s that differs, with its line, and makes no image", async (_, line, message) => {
    const before = await imageIds()
    const { code, stderr } = await build(
      skiff,
      { Dockerfile: `FROM busybox\n${line}\n` },
      "--verify-reproducible",
      ...EPOCH,
    )
    expect(code).toBe(1)
    expect(stderr).toContain("layer 2 of 2")
    expect(stderr).toContain(message)
    expect(stderr).toContain(`>>> ${line}`)
    expect(await imageIds()).toEqual(before)
  })

  test("names the field of the config, or the time of a file, where no epoch is given", async () => {
    const { code, stderr } = await build(
      skiff,
      { Dockerfile: "FROM busybox\nRUN mkdir /d && touch -d @5 /d\n" },
      "--verify-reproducible",
    )
    expect(code).toBe(1)
    expect(stderr).toMatch(/"created" of the config differs|differs in time/)
    expect(stderr).toContain("SOURCE_DATE_EPOCH")
  })

  test("leaves nothing: neither in the cache, nor mounted, nor in the store", async () => {
    const snapshots = () => readdirSync(join(skiff.root, "layers")).length
    const files = { Dockerfile: "FROM busybox\nRUN echo left > /left\n" }
    await built(skiff, files, "--rewrite-timestamp", ...EPOCH)
    const before = snapshots()
    await built(skiff, files, "--verify-reproducible", ...EPOCH)
    expect(snapshots()).toBe(before)
    mkdirSync(join(skiff.root, "builds"), { recursive: true })
    expect(readdirSync(join(skiff.root, "builds"))).toEqual([])
  })
})
