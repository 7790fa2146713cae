/** Which images are let in: policy.json is shown, changed and obeyed; what else it says stays. */
import { beforeEach, expect, test } from "bun:test"
import { chownSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { openStore, rootlessOnly, testUnless } from "../support/store.ts"
import { user } from "../support/user.ts"

const skiff = openStore()
const config = join(skiff.home, "config")
const file = join(config, "containers/policy.json")
const env = { XDG_CONFIG_HOME: config }
const trust = async (...words: string[]) => await skiff.run(["image", "trust", ...words], { env })
const policy = (): unknown => JSON.parse(readFileSync(file, "utf8"))

beforeEach(() => {
  mkdirSync(join(config, "containers"), { recursive: true })
  for (const path of [config, join(config, "containers")]) chownSync(path, user.uid, user.gid)
  writeFileSync(
    file,
    JSON.stringify({ default: [{ type: "insecureAcceptAnything" }], transports: { dir: { "/a": [] } } }),
  )
})

test("a scope that is set counts for the next pull, and everything else stays", async () => {
  expect(await trust("set", "--type", "reject", "registry.invalid/bad")).toMatchObject({ code: 0, stdout: "" })
  const { code, stderr } = await skiff.run(["pull", "registry.invalid/bad/app:1"], { env })
  expect(code).toBe(1)
  expect(stderr).toContain(`"${file}" rejects images of "registry.invalid/bad/app"`)
  expect(policy()).toEqual({
    default: [{ type: "insecureAcceptAnything" }],
    transports: { dir: { "/a": [] }, docker: { "registry.invalid/bad": [{ type: "reject" }] } },
  })
  await trust("set", "-t", "accept", "registry.invalid/bad")
  expect((await skiff.run(["pull", "--retry", "0", "registry.invalid/bad/app:1"], { env })).stderr).not.toContain(
    "rejects",
  )
})

testUnless(rootlessOnly)("an ordinary user without a policy gets one, which begins as the host's", async () => {
  rmSync(file)
  const hosts: unknown = JSON.parse((await trust("show", "--raw")).stdout)
  expect(await trust("set", "--type", "reject", "registry.invalid/bad")).toMatchObject({ code: 0 })
  const { transports: { docker, ...others } = {}, ...rest } = policy() as Policy
  const { transports: { docker: hostsDocker, ...hostsOthers } = {}, ...hostsRest } = hosts as Policy
  expect(docker).toEqual({ ...hostsDocker, "registry.invalid/bad": [{ type: "reject" }] })
  expect([others, rest]).toEqual([hostsOthers, hostsRest])
})

interface Policy {
  transports?: Record<string, object>
}

test("show lists the default and the scopes, of one name, as JSON, and the file as it is", async () => {
  const key = join(skiff.home, "key.gpg")
  writeFileSync(key, "key")
  await trust("set", "-t", "reject", "default")
  await trust("set", "-f", key, "registry.example:5000/team")
  const lines = (await trust("show")).stdout.trim().split("\n")
  expect(lines.map((line) => line.split(/ {2,}/))).toEqual([
    ["TRANSPORT", "NAME", "TYPE", "KEYS"],
    ["all", "default", "reject"],
    ["repository", "registry.example:5000/team", "signed", key],
  ])
  expect((await trust("show", "-n", "registry.example:5000/team")).stdout.split("\n")).toHaveLength(2)
  expect(JSON.parse((await trust("show", "--json")).stdout)[0]).toEqual({
    transport: "all",
    name: "* (default)",
    repo_name: "default",
    type: "reject",
  })
  expect(JSON.parse((await trust("show", "--raw")).stdout)).toEqual(policy())
})

test.each([
  [["set", "registry.example"], "--type signedBy needs a public key"],
  [["set", "-f", "/no/such/key", "registry.example"], 'cannot read the public key "/no/such/key"'],
  [["set", "-t", "accept", "-f", "/etc/passwd", "registry.example"], "--pubkeysfile cannot be used with --type accept"],
  [["set", "-t", "accept", "../x"], 'invalid scope "../x"'],
  [["set", "-t", "trusted", "x"], "must be one of accept, reject, signedBy, sigstoreSigned"],
])("%j fails and changes nothing", async (words, message) => {
  const before = policy()
  const { code, stderr } = await trust(...words)
  expect([1, 125]).toContain(code)
  expect(stderr).toContain(message)
  expect(policy()).toEqual(before)
})

test("what other engines do and skiff does not is refused with its reason", async () => {
  for (const [words, reason] of [
    [["image", "sign", "busybox"], "no key was given to sign with"],
    [["build", "--sbom-scanner-image", "x", "."], "packages are found without a scanner's image"],
    [["generate", "systemd", "--pod-prefix", "p", "x"], "units are made of containers, not of pods"],
    [["run", "--use-api-socket", "busybox"], "there is no daemon whose API socket"],
  ] as const) {
    const { code, stderr } = await skiff.run([...words])
    expect([words, code === 0, stderr]).toEqual([words, false, expect.stringContaining(reason)])
  }
})
