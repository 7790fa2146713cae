/**
 * Rules, secrets, malware, compliance, policy and advice on images that our builder makes: one that breaks every class, one that breaks none.
 *
 * One user is enough.
 */
import { afterAll, describe, expect, test } from "bun:test"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { build, built, makeContext } from "../support/build.ts"
import { busyboxEntries } from "../support/image.ts"
import { sharedRegistry } from "../support/registry.ts"
import { composeProject } from "../support/compose.ts"
import { Skiff } from "../support/skiff.ts"

const registry = await sharedRegistry()
const skiff = new Skiff()
afterAll(() => skiff.close(), 60_000)
const base = registry.push("rules/base:1", { layers: [{ entries: busyboxEntries() }], config: { Env: ["PATH=/bin"] } })

// in parts, so that no scanner of this repository takes them for what they look like
const TOKEN = ["ghp", "_", "a1B2c3D4".repeat(5).slice(0, 36)].join("")
const EICAR = ["X5O!P%@AP[4\\PZX54(P^)7CC)7}$", "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"].join("")

const BAD = `FROM ${base}
ENV DB_PASSWORD=hunter22 GH=${TOKEN}
COPY key evil /app/
RUN rm /app/key && chmod 4755 /app/evil && touch /etc/open && chmod 666 /etc/open
RUN mkdir -p /var/lib/apt/lists && dd if=/dev/zero of=/var/lib/apt/lists/x bs=1024 count=200
EXPOSE 22
`
const GOOD = `FROM ${base}
RUN mkdir /app && echo fine > /app/settings
USER 1000
HEALTHCHECK CMD true
`

interface Report {
  Results?: {
    Misconfigurations?: { ID: string }[]
    Secrets?: { RuleID: string; Match: string }[]
    Malware?: { ID: string }[]
  }[]
}
const scan = async (image: string) => {
  const text = await skiff.ok("scan", "--scanners", "misconfig,secret,malware", "--format", "json", image)
  const results = (JSON.parse(text) as Report).Results ?? []
  const ids = (of: (result: NonNullable<Report["Results"]>[number]) => string[]) =>
    [...new Set(results.flatMap(of))].toSorted()
  return {
    text,
    rules: ids(({ Misconfigurations = [] }) => Misconfigurations.map(({ ID }) => ID)),
    secrets: ids(({ Secrets = [] }) => Secrets.map(({ RuleID }) => RuleID)),
  }
}

describe("skiff scan", () => {
  test("an image that breaks every class of rules, and tells no secret", async () => {
    await built(skiff, { Dockerfile: BAD, key: `token: ${TOKEN}\n`, evil: EICAR }, "-t", "bad:1")
    const { rules, secrets, text } = await scan("bad:1")
    for (const id of ["CIS-4.1", "CIS-4.6", "CIS-4.8", "CIS-4.10", "SKF001", "SKF005", "SKF007"])
      expect(rules).toContain(id)
    expect(secrets).toEqual(["github-pat"])
    for (const secret of [TOKEN, "hunter22"])
      expect(text.split("\n").filter((line) => line.includes(secret))).toEqual([])
    const table = await skiff.ok("scan", "--scanners", "secret,malware", "bad:1")
    expect(table).toContain("eicar")
    expect(table).toContain("deleted later, still in the image")
    expect(table).not.toContain(TOKEN)
  }, 60_000)

  test("an image that breaks none", async () => {
    await built(skiff, { Dockerfile: GOOD }, "-t", "good:1")
    const { rules, secrets } = await scan("good:1")
    expect(rules).toEqual([])
    expect(secrets).toEqual([])
  }, 60_000)

  test("files of a directory, each with its line", async () => {
    const directory = makeContext(skiff, {
      Dockerfile: "FROM debian\nUSER app\nHEALTHCHECK CMD true\n",
      "compose.yaml": "services:\n  web:\n    image: web:1\n    privileged: true\n",
    })
    const text = await skiff.ok("scan", "--dir", directory, "--scanners", "misconfig", "--format", "json")
    expect(text).toContain('"DS001"')
    expect(text).toContain('"CIS-5.5"')
  })

  test("--profile says what passes, fails and cannot be checked, and that it is no certificate", async () => {
    const bad = await skiff.ok("scan", "--profile", "cis", "--scanners", "misconfig,secret,malware", "bad:1")
    expect(bad).toMatch(/^4\.1 +FAIL/m)
    expect(bad).toContain("no certificate")
    const good = JSON.parse(
      await skiff.ok(
        "scan",
        "--profile",
        "cis",
        "--scanners",
        "misconfig,secret,malware",
        "--format",
        "json",
        "good:1",
      ),
    )
    expect(good.rules.filter(({ status }: { status: string }) => status === "fail")).toEqual([])
  })
})

describe("a policy", () => {
  const settings = join(skiff.home, "skiff.toml")
  const policy = join(skiff.home, "policy.toml")
  const env = { SKIFF_CONFIG: settings }

  test("refuses images and ways to run them, with the rule's name", async () => {
    writeFileSync(settings, `[scan]\npolicy = "${policy}"\n`)
    writeFileSync(policy, '[[rule]]\nname = "nobody is root"\ndeny = ["CIS-4.1", "CIS-5.5"]\n')
    const run = (...words: string[]) => skiff.run(["run", "--rm", "--network", "none", ...words], { env })
    expect(await run("bad:1", "true")).toMatchObject({
      code: 125,
      stderr: expect.stringContaining('rule "nobody is root": CIS-4.1'),
    })
    expect(await run("good:1", "true")).toMatchObject({ code: 0 })
    expect(await run("--privileged", "good:1", "true")).toMatchObject({
      code: 125,
      stderr: expect.stringContaining("CIS-5.5"),
    })
    for (const [name, service, id] of [
      ["policy-image", "{image: bad:1, command: [sleep, '100'], network_mode: none}", "CIS-4.1"],
      ["policy-how", "{image: good:1, command: [sleep, '100'], network_mode: none, privileged: true}", "CIS-5.5"],
    ] as const) {
      const project = composeProject(skiff, name, `services: {web: ${service}}\n`)
      const up = await project.run(["up", "-d"], { env })
      expect([name, up.code]).toEqual([name, 1])
      expect(up.stderr).toContain(`rule "nobody is root": ${id}`)
      await project.run(["down"])
    }
    await skiff.ok("rmi", "-f", "bad:1", base)
    const pulled = await skiff.run(["pull", "-q", base], { env })
    expect(pulled.code).toBe(1)
    expect(pulled.stderr).toContain("nobody is root")
    expect(await skiff.ok("images", "-q", base)).toBe("")
    expect((await build(skiff, { Dockerfile: "FROM good:1\nRUN true\n" })).code).toBe(0)
  }, 60_000)
})

describe("skiff advise", () => {
  test("image: bytes that later layers hide, caches and root, each with its number", async () => {
    await built(skiff, { Dockerfile: BAD, key: `${TOKEN}${"x".repeat(20_000)}`, evil: EICAR }, "-t", "bad:1")
    const advice = JSON.parse(await skiff.ok("advise", "image", "--json", "bad:1")) as {
      id: string
      measured: { value: number }
    }[]
    const of = (id: string) => advice.find((one) => one.id === id)?.measured.value
    expect(of("lost-bytes")).toBeGreaterThanOrEqual(20_000)
    expect(of("cache")).toBe(200 * 1024)
    expect(of("user")).toBeGreaterThan(0)
    const portable = await skiff.run(["advise", "portable", "--json", "good:1"])
    expect(JSON.parse(portable.stdout)[0]).toMatchObject({ need: "architecture", status: "ok" })
  }, 60_000)

  test("file --fix writes what the file alone decides", async () => {
    const directory = makeContext(skiff, { Dockerfile: "FROM alpine:3\nRUN apk add curl\n" })
    const file = join(directory, "Dockerfile")
    expect(await skiff.ok("advise", "file", file)).toContain("DS025")
    expect(await skiff.ok("advise", "file", "--fix", file)).toContain("+RUN apk add --no-cache curl")
    expect(readFileSync(file, "utf8")).toBe("FROM alpine:3\nRUN apk add --no-cache curl\n")
  })

  test("density and limits, from what the meter measured", async () => {
    await skiff.ok("run", "-d", "--name", "m", "--network", "none", "good:1", "sleep", "100")
    await skiff.ok("rm", "-f", "-t", "0", "m")
    const { code, stdout, stderr } = await skiff.run([
      "advise",
      "density",
      "--ram",
      "100g",
      "--cpus",
      "100",
      "--app",
      "10g/6",
      "--json",
    ])
    // a host that counts no memory has nothing to go by, and says so
    if (code !== 0) expect(stderr).toContain("no use of a container was measured")
    else expect(JSON.parse(stdout).virtualMachines).toBe(10)
  }, 60_000)
})
