import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { ImageTree } from "../../sbom/sbom.ts"
import type { ImageConfig, ImageRunConfig } from "../../spec/oci-image.ts"
import { checkImageFiles } from "./image-files.ts"
import { checkImageConfig, instructionOf } from "./image-rules.ts"

const GOOD: ImageRunConfig = { User: "1000", Healthcheck: { Test: ["CMD", "true"] } }
const ids = (config: ImageRunConfig, history: string[] = [], names = ["web:1"]) =>
  checkImageConfig(
    {
      architecture: "amd64",
      os: "linux",
      rootfs: { type: "layers", diff_ids: [] },
      config: { ...GOOD, ...config },
      history: history.map((created_by) => ({ created_by })),
    } satisfies ImageConfig,
    names,
  ).map(({ id }) => id)

describe("checkImageConfig()", () => {
  const CASES: [id: string, bad: ImageRunConfig, good: ImageRunConfig][] = [
    ["CIS-4.1", { User: "" }, { User: "app:0" }],
    ["CIS-4.1", { User: "0:5" }, { User: "10" }],
    ["CIS-4.6", { Healthcheck: { Test: ["NONE"] } }, {}],
    [
      "CIS-4.10",
      { Env: ["DB_PASSWORD=hunter2"] },
      { Env: ["DB_PASSWORD_FILE=/run/secrets/db", "PWD=/srv", "TOKEN_TTL=3600", "DB_PASSWORD="] },
    ],
    ["SKF001", { ExposedPorts: { "22/tcp": {} } }, { ExposedPorts: { "2222/tcp": {} } }],
    ["SKF003", { Env: ["PATH=/usr/bin:."] }, { Env: ["PATH=/usr/bin:/bin"] }],
    ["SKF004", { ExposedPorts: { "23/tcp": {} } }, { ExposedPorts: { "80/tcp": {} } }],
  ]
  for (const [id, bad, good] of CASES)
    test(`${id}: ${JSON.stringify(bad)}`, () => {
      expect(ids(bad)).toEqual([id])
      expect(ids(good)).toEqual([])
    })

  test("history", () => {
    expect(ids({}, ["/bin/sh -c apt-get update"])).toEqual(["CIS-4.7"])
    expect(ids({}, ["RUN /bin/sh -c apt-get update && apt-get install -y x # buildkit"])).toEqual([])
    expect(ids({}, ["ADD https://a.example/x /x # buildkit"])).toEqual(["CIS-4.9"])
    expect(ids({}, ["/bin/sh -c #(nop) ADD file:abc in / "])).toEqual([])
    expect(ids({}, [], ["web"])).toEqual(["SKF002"])
    expect(ids({}, [], ["web", "web:2"])).toEqual([])
  })

  test("no value of a variable is told", () => {
    const [found] = checkImageConfig(
      {
        architecture: "a",
        os: "linux",
        rootfs: { type: "layers", diff_ids: [] },
        config: { ...GOOD, Env: ["API_KEY=abcdefgh"] },
      },
      ["a:1"],
    )
    expect(JSON.stringify(found)).not.toContain("abcdefgh")
    expect(found?.message).toBe("ENV API_KEY=********")
  })

  test("instructionOf()", () => {
    expect(instructionOf("|1 A=b /bin/sh -c make")).toEqual({ instruction: "RUN", text: "make" })
    expect(instructionOf("RUN |1 A=b /bin/sh -c make # buildkit")).toEqual({ instruction: "RUN", text: "make" })
    expect(instructionOf('/bin/sh -c #(nop)  CMD ["x"]')).toEqual({ instruction: "CMD", text: '["x"]' })
    expect(instructionOf("layer 0")).toEqual({ instruction: "", text: "layer 0" })
  })
})

describe("checkImageFiles()", () => {
  let root: string
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "skiff-rules-"))
  })
  afterEach(() => rmSync(root, { recursive: true, force: true }))
  const write = (path: string, content: string, mode = 0o644) => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content)
    chmodSync(join(root, path), mode)
  }
  const check = () => {
    using tree = new ImageTree(root)
    return checkImageFiles(tree).map(({ id, severity, place, message }) => `${id} ${severity} ${place.path ?? message}`)
  }

  test("every rule, each broken once", () => {
    write("usr/bin/su", "", 0o4755)
    write("usr/bin/find", "", 0o4755)
    write("usr/bin/own", "", 0o2755)
    write("etc/app.conf", "", 0o666)
    mkdirSync(join(root, "srv/open"), { recursive: true })
    chmodSync(join(root, "srv/open"), 0o777)
    write("var/lib/apt/lists/x", "x".repeat(100_000))
    write("usr/sbin/sshd", "", 0o755)
    write("usr/bin/sudo", "", 0o755)
    write("usr/bin/x86_64-linux-gnu-gcc-12", "", 0o755)
    write("etc/passwd", "root:x:0:0::/:/bin/sh\ntoor:x:0:0::/:/bin/sh\n")
    write("etc/shadow", "root:*:1::::::\nguest::1::::::\n")
    const isRoot = process.getuid?.() === 0
    expect(check().toSorted()).toEqual(
      [
        "CIS-4.3 low x86_64-linux-gnu-gcc-12 installed",
        `CIS-4.8 ${isRoot ? "high" : "medium"} /usr/bin/find`,
        "CIS-4.8 low /usr/bin/su",
        "CIS-4.8 medium /usr/bin/own",
        "SKF005 medium /etc/app.conf",
        "SKF006 medium /srv/open",
        "SKF007 low /var/lib/apt/lists",
        "SKF008 medium /usr/sbin/sshd",
        "SKF009 medium /usr/bin/sudo",
        "SKF012 high /etc/shadow",
        "SKF013 high /etc/passwd",
      ].toSorted(),
    )
  })

  test("what is as it should be", () => {
    mkdirSync(join(root, "tmp"))
    chmodSync(join(root, "tmp"), 0o1777)
    write("usr/bin/ls", "", 0o755)
    write("var/lib/apt/lists/lock", "")
    write("etc/passwd", "root:x:0:0::/:/bin/sh\napp:x:1:1::/:/bin/sh\n")
    expect(check()).toEqual([])
  })
})
