import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync, readFileSync, existsSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { ImageTree } from "../sbom/sbom.ts"
import type { Misconfiguration } from "../scan/scan.ts"
import { adviseDensity } from "./advise-density.ts"
import { adviseImage } from "./advise-image.ts"
import { adviseLimits } from "./advise-limits.ts"
import { advisePortability } from "./advise-portable.ts"
import { dockerfileEdits } from "./dockerfile-edits.ts"
import { applyEdits, diffOf } from "./edits.ts"
import { linuxAbi } from "./elf-abi.ts"
import { yamlEdits } from "./yaml-edits.ts"

const MIB = 1024 ** 2

const mend = (text: string) => applyEdits(text, dockerfileEdits(text))

const finding = (id: string, startLine: number) => ({ id, place: { startLine } }) as Misconfiguration

describe("editsOf a Dockerfile", () => {
  const CASES: [name: string, before: string, after: string][] = [
    [
      "apt-get",
      "RUN apt-get update && apt-get install curl",
      "RUN apt-get update && apt-get install -y --no-install-recommends curl && rm -rf /var/lib/apt/lists/*",
    ],
    ["apk", "RUN apk add curl", "RUN apk add --no-cache curl"],
    ["yum", "RUN yum -y install curl", "RUN yum -y install curl && yum clean all"],
    ["microdnf", "RUN microdnf install curl", "RUN microdnf install curl && microdnf clean all"],
    ["ADD", "ADD a b /x/", "COPY a b /x/"],
    ["MAINTAINER", "MAINTAINER Me <me@example.org>", 'LABEL org.opencontainers.image.authors="Me <me@example.org>"'],
    ["several lines", "RUN apk update && \\\n    apk add curl", "RUN apk update && \\\n    apk add --no-cache curl"],
  ]
  for (const [name, before, after] of CASES)
    test(name, () => {
      expect(mend(`FROM a:1\n${before}\n`)).toBe(`FROM a:1\n${after}\n`)
      // what is mended is mended once
      expect(mend(`FROM a:1\n${after}\n`)).toBe(`FROM a:1\n${after}\n`)
    })

  test("what is right, or not to be decided here, stays", () => {
    const text = `FROM a:1
ADD a.tar.gz /x
RUN --mount=type=cache,target=/var/lib/apt apt-get install -y --no-install-recommends x
RUN ["apk", "add", "x"]
RUN <<EOF
apk add x
EOF
`
    expect(dockerfileEdits(text)).toEqual([])
  })

  test("is shown as a difference", () => {
    const edits = dockerfileEdits("FROM a:1\nRUN apk add x\n")
    expect(diffOf("Dockerfile", edits)).toBe(
      "--- Dockerfile\n+++ Dockerfile\n@@ -2 +2 @@\n-RUN apk add x\n+RUN apk add --no-cache x\n",
    )
  })
})

describe("editsOf YAML", () => {
  test("a service gets no-new-privileges, a container no escalation; what is in a line stays", () => {
    const compose = "services:\n  web:\n    image: a\n  db: {image: b}\n"
    expect(applyEdits(compose, yamlEdits(compose, [finding("CIS-5.26", 3), finding("CIS-5.26", 4)]))).toBe(
      "services:\n  web:\n    security_opt: [no-new-privileges:true]\n    image: a\n  db: {image: b}\n",
    )
    const pod = "    containers:\n    - name: web\n      image: a\n"
    expect(applyEdits(pod, yamlEdits(pod, [finding("KSV001", 2)]))).toBe(
      "    containers:\n    - name: web\n      securityContext:\n        allowPrivilegeEscalation: false\n      image: a\n",
    )
  })
})

describe("adviseImage()", () => {
  let root: string
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "skiff-advise-"))
  })
  afterEach(() => rmSync(root, { recursive: true, force: true }))
  const layer = (name: string, files: Record<string, number>, createdBy: string) => {
    for (const [path, bytes] of Object.entries(files)) {
      mkdirSync(dirname(join(root, name, path)), { recursive: true })
      writeFileSync(join(root, name, path), Buffer.alloc(bytes))
    }
    return { createdBy, open: () => new ImageTree(join(root, name)) }
  }

  test("counts what is overwritten, cached, and could be one step; names the lighter base", () => {
    const advice = adviseImage({
      config: { architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [] }, config: {} },
      layers: [
        layer("a", { "usr/bin/x": 100_000, "etc/y": 10 }, "/bin/sh -c #(nop) ADD file:1 in /"),
        layer("b", { "usr/bin/x": 50_000, "var/lib/apt/lists/z": 20_000 }, "RUN /bin/sh -c make x # buildkit"),
        layer("c", { "etc/y": 20 }, "RUN /bin/sh -c make y # buildkit"),
      ],
      bases: [{ name: "debian:12", sizeBytes: 120 * MIB, layers: 1 }],
      lighter: [
        { name: "debian:12-slim", sizeBytes: 80 * MIB },
        { name: "debian:11", sizeBytes: 130 * MIB },
      ],
    })
    expect(advice.map(({ id, measured }) => [id, measured.value, measured.unit])).toEqual([
      ["lighter-base", 40 * MIB, "bytes"],
      ["lost-bytes", 100_000, "bytes"],
      ["cache", 20_000, "bytes"],
      ["join-steps", 1, "layers"],
      ["user", 3, "files"],
    ])
    expect(advice[2]?.after).toBe("RUN make x && rm -rf /var/lib/apt/lists/*")
    expect(advice[3]?.after).toBe("RUN make x && make y")
  })

  test("says the Dockerfile's line; what the base brings is not the user's to join, nor to clean up", () => {
    const layers = [
      layer("a", { "usr/bin/x": 100_000, "var/lib/apt/lists/z": 20_000 }, "RUN /bin/sh -c make base"),
      layer("b", { "opt/a/big": 50_000 }, "COPY a /opt/a # buildkit"),
      {
        ...layer("c", { "opt/a/big": 1, "usr/bin/x": 1 }, "RUN /bin/sh -c shrink"),
        dockerfile: { file: "Dockerfile", line: 4 },
      },
      layer("d", { y: 30_000 }, "RUN /bin/sh -c make y"),
      layer("e", { y: 1 }, "RUN /bin/sh -c shrink y"),
    ]
    const config = {
      architecture: "a",
      os: "linux",
      rootfs: { type: "layers" as const, diff_ids: [] },
      config: { User: "1" },
    }
    const advice = adviseImage({ config, layers, bases: [{ name: "debian:1", sizeBytes: 1, layers: 1 }], lighter: [] })
    expect(advice.map(({ id, file, line, before, after }) => [id, file, line, before, after])).toEqual([
      ["lost-bytes", "Dockerfile", 4, "RUN shrink", undefined],
      ["lost-bytes", undefined, undefined, "COPY a /opt/a", "COPY --exclude=big a /opt/a"],
      ["lost-bytes", undefined, undefined, "RUN make y", "RUN make y && shrink y"],
      ["join-steps", "Dockerfile", 4, "RUN shrink\nRUN make y\nRUN shrink y", "RUN shrink && make y && shrink y"],
    ])
    expect(advice[0]?.message).toContain("layer 3 hides 1 file, 100kB, of layer 1, which debian:1 brings: /usr/bin/x")
  })

  test("a directory in the place of a file, and a file in the place of a directory, hide it", () => {
    const layers = [layer("a", { x: 10_000, "d/e/f": 20_000 }, "a"), layer("b", { "x/y": 1, d: 1 }, "b")]
    const config = {
      architecture: "a",
      os: "linux",
      rootfs: { type: "layers" as const, diff_ids: [] },
      config: { User: "1" },
    }
    expect(adviseImage({ config, layers, bases: [], lighter: [] })).toMatchObject([
      { id: "lost-bytes", measured: { value: 30_000 } },
    ])
  })
})

test("adviseLimits(): the peak and a quarter, twice the average", () => {
  const use = {
    seconds: 100,
    cpuSeconds: 20,
    meanMemoryBytes: 40 * MIB,
    peakMemoryBytes: 100 * MIB,
    memoryLimitBytes: undefined,
    cpuLimit: undefined,
  }
  expect(adviseLimits(use)).toMatchObject({ memoryBytes: 128 * MIB, cpus: 0.4 })
  expect(adviseLimits({ ...use, peakMemoryBytes: undefined }).memoryBytes).toBe(64 * MIB)
  expect(adviseLimits({ ...use, seconds: 0 }).cpus).toBeUndefined()
})

test("adviseDensity(): what is reserved against what is used, with the arithmetic", () => {
  const measured = {
    containers: 2,
    seconds: 1000,
    cpuSeconds: 100,
    memoryByteSeconds: 1000 * 200 * MIB,
    isBound: false,
  }
  const density = adviseDensity({
    ramBytes: 100 * 1024 * MIB,
    cpus: 100,
    app: { ramBytes: 10 * 1024 * MIB, cpus: 6 },
    measured,
  })
  expect(density).toMatchObject({ virtualMachines: 10, containers: 341 })
  expect(density.arithmetic.join("\n")).toContain("100 CPUs ÷ 6 = 16")
  expect(() =>
    adviseDensity({ ramBytes: 1, cpus: 1, app: { ramBytes: 1, cpus: 1 }, measured: { ...measured, seconds: 0 } }),
  ).toThrow("no use")
})

describe("advisePortability()", () => {
  const config = {
    architecture: "arm64",
    os: "linux",
    rootfs: { type: "layers" as const, diff_ids: [] },
    config: { ExposedPorts: { "80/tcp": {} } },
  }
  const host = { architecture: "amd64", kernel: "6.1.0", emulators: [], ids: 65536, lowestPort: 1024 }
  const of = (more: Partial<typeof host>) =>
    advisePortability(config, undefined, { ...host, ...more }).map(({ need, status }) => `${need} ${status}`)
  test("architecture, by itself or by an emulator; ports that only root has", () => {
    expect(of({})).toEqual(["architecture missing", "kernel unknown", "sysctl missing"])
    expect(of({ architecture: "arm64", lowestPort: 0 })).toEqual(["architecture ok", "kernel unknown"])
    expect(advisePortability(config, undefined, { ...host, emulators: ["qemu-aarch64"] })[0]?.status).toBe("ok")
  })

  const library = ["/lib/x86_64-linux-gnu/libc.so.6", "/lib/aarch64-linux-gnu/libc.so.6", "/lib64/libc.so.6"].find(
    existsSync,
  )
  test.skipIf(library === undefined)("the oldest kernel, as this host's C library says", () => {
    const bytes = readFileSync(library ?? "")
    expect(linuxAbi(bytes)).toMatch(/^\d+\.\d+\.\d+$/)
    for (let length = 0; length < 2000; length += 7) linuxAbi(bytes.subarray(0, length))
    expect(linuxAbi(Buffer.from("no ELF at all"))).toBeUndefined()
  })
})
