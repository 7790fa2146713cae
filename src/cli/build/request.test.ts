import { afterAll, describe, expect, test } from "bun:test"
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { resolveBuild } from "../../build/build-options.ts"
import { readContextWord, type BuildRequest, type ImageAnnotation } from "../../build/build.ts"
import { parsePlatform } from "../../spec/platform.ts"
import { parseFlags } from "../parse-flags.ts"
import { BUILD_FLAGS, type BuildFlags } from "./flags.ts"
import { FilesOfBuild } from "./files.ts"
import { buildRequest } from "./request.ts"

const directory = mkdtempSync(join(tmpdir(), "skiff-build-flags-"))
afterAll(() => rmSync(directory, { recursive: true, force: true }))
writeFileSync(join(directory, "token"), "t0p")
const token = join(directory, "token")
const argFile = join(directory, "args")
writeFileSync(argFile, "# of all builds\nA=1\nB=2\n")

function request(...argv: string[]): BuildRequest {
  const { values } = parseFlags(BUILD_FLAGS, argv, true)
  const files = { context: { kind: "empty" } } as const
  return resolveBuild(buildRequest(files, values as BuildFlags, new AbortController().signal))
}

const on = (of: ImageAnnotation["of"], key: string, value: string): ImageAnnotation => ({ of, key, value })
const provenance = (mode: "min" | "max") => ({ type: "provenance", mode }) as const

describe("flags of docker, buildx and podman", () => {
  test("without any, the image goes into the store, for the host, with the cache", () => {
    expect(request()).toMatchObject({
      outputs: [{ type: "image" }],
      platforms: [],
      tags: [],
      noCache: [],
      pull: "missing",
      network: "default",
      format: "oci",
      squash: false,
      rewriteTimes: false,
    })
  })

  const good: [words: string, part: Partial<BuildRequest>][] = [
    ["-t a -t b:1", { tags: ["a", "b:1"] }],
    ["--build-arg A=1 --build-arg B= --build-arg A=2", { args: { A: "2", B: "" } }],
    ["--build-arg NOT_SET_ANYWHERE", { args: {} }],
    ["--label a=b --label c", { labels: { a: "b", c: "" } }],
    [
      "--annotation a=b --annotation manifest:c=d",
      { annotations: [on("manifest", "a", "b"), on("manifest", "c", "d")] },
    ],
    ["--annotation org.x=http://y", { annotations: [on("manifest", "org.x", "http://y")] }],
    [
      "--annotation index,manifest-descriptor[linux/arm64]:a=b:c",
      {
        annotations: [
          on("index", "a", "b:c"),
          { ...on("manifest-descriptor", "a", "b:c"), platform: parsePlatform("linux/arm64") },
        ],
      },
    ],
    [
      "-o type=registry,name=n,annotation-index.k=v,annotation-manifest[linux/amd64].a=b",
      {
        annotations: [on("index", "k", "v"), { ...on("manifest", "a", "b"), platform: parsePlatform("linux/amd64") }],
      },
    ],
    ["--sbom", { attestations: [{ type: "sbom", format: "spdx" }] }],
    ["--sbom=format=cyclonedx", { attestations: [{ type: "sbom", format: "cyclonedx" }] }],
    ["--provenance", { attestations: [{ type: "provenance", mode: "min" }] }],
    ["--provenance=mode=max,builder-id=b", { attestations: [{ type: "provenance", mode: "max", builderId: "b" }] }],
    ["--attest type=sbom --attest type=provenance,mode=max --sbom=false", { attestations: [provenance("max")] }],
    ["--provenance=max --attest type=sbom,disabled=true", { attestations: [provenance("max")] }],
    ["-t a --manifest m:1", { tags: ["a", "m:1"], manifest: "m:1" }],
    ["--verify-reproducible --source-date-epoch 5", { verifyReproducible: true, epoch: 5, rewriteTimes: true }],
    [
      "--from b --env A=1 --unsetenv B --unsetlabel c --inherit-labels=false --omit-history",
      {
        edits: {
          from: "b",
          env: { A: "1" },
          unsetEnv: ["B"],
          unsetLabels: ["c"],
          dropsBaseLabels: true,
          omitsHistory: true,
        },
      },
    ],
    ["--identity-label=false --disable-content-trust --layer-label a=b", { labels: {} }],
    [
      "--cap-add NET_ADMIN --cap-drop ALL --dns 192.0.2.1 --no-hosts -v /a:/b:ro --uts host",
      {
        more: {
          capAdd: ["NET_ADMIN"],
          capDrop: ["ALL"],
          dns: ["192.0.2.1"],
          ownHosts: true,
          volumes: [{ source: "/a", target: "/b", access: "ro" }],
          uts: "host",
        },
      },
    ],
    [`--build-arg-file ${argFile} --build-arg B=own`, { args: { A: "1", B: "own" } }],
    ["--target build", { target: "build" }],
    ["--no-cache", { noCache: true }],
    ["--layers=false", { noCache: true }],
    ["--no-cache-filter a,b --no-cache-filter c", { noCache: ["a", "b", "c"] }],
    ["--pull", { pull: "always" }],
    ["--pull=false", { pull: "missing" }],
    ["--pull=newer", { pull: "always" }],
    ["--pull=never", { pull: "never" }],
    ["--pull-always", { pull: "always" }],
    [
      "--creds a:b --cert-dir /c --retry 0 --retry-delay 2s --tls-verify=false --authfile /dev/null",
      {
        access: {
          credentials: { username: "a", password: "b" },
          certDir: "/c",
          retries: 0,
          retryDelayMs: 2000,
          tlsVerify: false,
          authFile: "/dev/null",
        },
      },
    ],
    ["--builder default", { pull: "missing" }],
    ["--network host", { network: "host" }],
    ["--add-host a:1.2.3.4", { extraHosts: ["a:1.2.3.4"] }],
    ["--ulimit nofile=5:6", { ulimits: [{ name: "nofile", soft: 5, hard: 6 }] }],
    [
      "-m 64m --cpus 0.5 --cpu-shares 3 --cpuset-cpus 0",
      { resources: { memoryBytes: 64 << 20, cpus: 0.5, cpuShares: 3, cpusetCpus: "0" } },
    ],
    ["--shm-size 8m", { shmSizeBytes: 8 << 20 }],
    ["--squash", { squash: true }],
    ["--squash-all", { squash: "all" }],
    ["--timestamp 7", { epoch: 7, rewriteTimes: true }],
    ["--source-date-epoch 7", { epoch: 7, rewriteTimes: false }],
    ["--build-arg SOURCE_DATE_EPOCH=9", { epoch: 9, rewriteTimes: false, args: { SOURCE_DATE_EPOCH: "9" } }],
    ["--jobs 3", { jobs: 3 }],
    ["--format docker", { format: "docker" }],
    ["--allow security.insecure", { allow: ["security.insecure"] }],
    [
      "--platform linux/amd64,linux/arm64",
      {
        platforms: [
          { os: "linux", architecture: "amd64" },
          { os: "linux", architecture: "arm64", variant: "v8" },
        ],
      },
    ],
    ["--arch arm64", { platforms: [{ os: "linux", architecture: "arm64", variant: "v8" }] }],
    [
      "--rm --force-rm --compress --isolation default --provenance=false --sbom=false",
      { outputs: [{ type: "image" }] },
    ],
    ["--attest type=provenance,disabled=true", { outputs: [{ type: "image" }] }],
    ["-o -", { outputs: [{ type: "tar", path: 1 }] }],
    ["-o /x/y", { outputs: [{ type: "local", path: "/x/y" }] }],
    ["-o type=local,dest=/x", { outputs: [{ type: "local", path: "/x" }] }],
    ["-o type=tar,dest=/x.tar", { outputs: [{ type: "tar", path: "/x.tar" }] }],
    [
      "-o type=oci,dest=/x.tar,compression=zstd",
      { outputs: [{ type: "oci", path: "/x.tar", form: { compression: "zstd" } }] },
    ],
    [
      "-o type=image,name=n,push=true,store=false,push-by-digest=true,compression=gzip,compression-level=9,force-compression=true",
      { outputs: [{ type: "registry", byDigest: true, form: { compression: "gzip", level: 9, every: true } }] },
    ],
    ["-o type=oci,dest=/x,tar=false", { outputs: [{ type: "oci-directory", path: "/x" }] }],
    ["-o type=image,unpack=true,name-canonical=true,oci-artifact=true", { outputs: [{ type: "image" }] }],
    [
      "-o type=local,dest=/x,platform-split=true,attestation-prefix=a-",
      { outputs: [{ type: "local", path: "/x", split: true, attestationPrefix: "a-" }] },
    ],
    ["-o type=docker", { outputs: [{ type: "image" }] }],
    ["-o type=docker,dest=-", { outputs: [{ type: "docker", path: 1 }] }],
    [
      "-o type=image,name=n:1,push=true,oci-mediatypes=false,annotation.k=v",
      {
        outputs: [{ type: "image" }, { type: "registry" }],
        tags: ["n:1"],
        format: "docker",
        annotations: [on("manifest", "k", "v")],
      },
    ],
    ["-t n --push", { outputs: [{ type: "image" }, { type: "registry" }] }],
    ["-t n --push --load -o /x", { outputs: [{ type: "image" }, { type: "local", path: "/x" }, { type: "registry" }] }],
    ["-o type=cacheonly", { outputs: [] }],
    [
      "--build-context a=docker-image://b:1 --build-context c=https://d.e/f.git",
      { namedContexts: { a: { kind: "image", name: "b:1" }, c: { kind: "git", url: "https://d.e/f.git" } } },
    ],
    [`--secret id=a,src=${token}`, { secrets: [{ id: "a", source: { file: token } }] }],
    ["--secret id=a,env=B", { secrets: [{ id: "a", source: { env: "B" } }] }],
    ["--secret id=PATH", { secrets: [{ id: "PATH", source: { env: "PATH" } }] }],
    ["--secret type=env,id=a,src=B", { secrets: [{ id: "a", source: { env: "B" } }] }],
  ]
  test.each(good)("%s", (words, part) => {
    expect(request(...words.split(" "))).toMatchObject(part as Record<string, unknown>)
  })

  const bad: [words: string, message: string][] = [
    ["--cache-to type=gha", "not supported"],
    ["--cache-from type=s3,bucket=x", "not supported"],
    ["--provenance=version=v0.2", "SLSA v0.2 is not made"],
    ["--provenance=mode=most", "unknown mode"],
    ["--sbom=generator=docker/scout-sbom-indexer", "is not run"],
    ["--attest type=vex", "unknown attestation"],
    ["--attest format=spdx", "type not specified"],
    ["-o type=image,compression=lzma", "unsupported compression"],
    ["-o type=oci,compression-level=10", "too high"],
    ["-o type=local,dest=/x,push=true", 'unknown key "push"'],
    ["-o type=image,unpack=false", "not supported"],
    ["-o type=oci,tar=false", "dest is required"],
    ["-o type=docker,dest=/x,tar=false", "one file"],
    ["-o type=docker,dest=/x,compression=zstd", "not compressed"],
    ["-o type=local,dest=/x,attestation-prefix=../x", "beginning of a file's name"],
    ["--network shop", "not supported"],
    ["--cpp-flag -DX", "not run through cpp"],
    ["--sign-by me", "what stays in the local store is not signed"],
    ["--all-platforms", "all platforms of a base"],
    ["--logsplit", "one log"],
    ["--os-version 1", "no version of its operating system"],
    ["--push", "tag is needed"],
    ["-o type=nonsense", "unknown output type"],
    ["-o type=local", "dest is required"],
    ["-o type=tar,dest=/x,dest=/y", "twice"],
    ["-o type=local,dest=/x,colour=red", 'unknown key "colour"'],
    ["-o type=tar,dest=- -o type=oci,dest=-", "only one output"],
    ["--secret src=/x", "needs an id"],
    ["--secret id=x,src=/no/such/file", "no such secret file"],
    ["--secret id=x,src=/tmp", "is a directory"],
    ["--secret id=x,mode=0400", "unexpected key 'mode'"],
    ["--ssh default=/no/such/socket", "no such ssh agent"],
    [`--ssh default=${token}`, "not the socket of an ssh agent"],
    ["--allow all", "unknown entitlement"],
    ["--build-arg =x", "invalid environment variable"],
    ["--pull=perhaps", "must be one of"],
    ["--timestamp yesterday", "seconds since 1970"],
    ["--build-arg SOURCE_DATE_EPOCH=soon", "invalid SOURCE_DATE_EPOCH"],
    ["--rewrite-timestamp", "needs a time"],
    ["--platform linux/amd64 --arch arm64", "can not be specified with"],
    ["--platform a/b/c/d", "invalid platform"],
    ["--isolation nonsense", "must be one of"],
    ["--skip-unused-stages=false", "stages that nothing needs"],
    ["--stdin", "reads no standard input"],
    ["--build-arg-file /no/such/file", "cannot read the file of build arguments"],
    ["--annotation page:a=b", "unknown annotation type"],
    ["--annotation index[linux/amd64]:a=b", "unknown annotation type"],
    ["--build-context a", "expected NAME=VALUE"],
  ]
  test.each(bad)("%s is refused: %s", (words, message) => {
    expect(() => request(...words.split(" "))).toThrow(message)
  })
})

describe("the context", () => {
  test.each([
    ["git@github.com:a/b.git", "git"],
    ["https://github.com/a/b.git#v1:sub", "git"],
    ["git://host/a", "git"],
    ["ssh://git@host/a", "git"],
    ["github.com/a/b", "git"],
    ["https://host/a.tar.gz", "http"],
    ["https://host/page#x.git", "http"],
  ])("%s is a %s context", (word, kind) => {
    expect(readContextWord(word).kind).toBe(kind as "git")
  })

  test("a directory, an archive, and what is not there", () => {
    expect(readContextWord(directory)).toEqual({ kind: "directory", path: directory })
    expect(readContextWord(token)).toEqual({ kind: "tar", path: token })
    expect(() => readContextWord(join(directory, "absent"))).toThrow("not found")
    expect(() => readContextWord("/dev/null")).toThrow("neither a directory nor a tar archive")
  })

  const context = join(directory, "context")
  mkdirSync(join(context, "sub"), { recursive: true })
  writeFileSync(join(context, "sub/Containerfile"), "FROM scratch\n")
  writeFileSync(join(directory, "Outside"), "FROM scratch # outside\n")
  writeFileSync(join(directory, "Outside.dockerignore"), "secret\n")
  symlinkSync("../Outside", join(context, "link"))
  symlinkSync("sub/Containerfile", join(context, "inner"))
  const find = async (file: string) => {
    using files = new FilesOfBuild()
    return await files.find(context, file, undefined)
  }

  test("--file below the context is a path in it, from here or from there", async () => {
    const inside = { dockerfile: { pathInContext: "sub/Containerfile" } }
    expect(await find(join(context, "sub/Containerfile"))).toMatchObject(inside)
    expect(await find("sub/Containerfile")).toMatchObject(inside)
    expect(await find("inner")).toMatchObject({ dockerfile: { pathInContext: "inner" } })
  })

  test("--file outside comes with its text and its own ignore file", async () => {
    expect(await find(join(directory, "Outside"))).toMatchObject({
      dockerfile: { text: "FROM scratch # outside\n", name: "Outside" },
      ignoreFile: { text: "secret\n", name: "Outside.dockerignore" },
    })
  })

  test("a link that leads out of the context is refused, and a name that is not there", () => {
    expect(find("link")).rejects.toThrow("leads out of the build context")
    expect(find("absent")).rejects.toThrow("no such file")
  })

  test("a secret or a Dockerfile that cannot be read is refused with its name", () => {
    chmodSync(token, 0o600)
    expect(find("/tmp")).rejects.toThrow("no regular file")
  })
})
