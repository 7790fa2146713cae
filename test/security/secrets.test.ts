/** Secrets that a RUN writes into its layer: found when the layer is made, and by the linter in the text. */
import { describe, expect, test } from "bun:test"
import { chownSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { build, makeContext } from "../support/build.ts"
import type { Outcome } from "../support/skiff.ts"
import { openStore } from "../support/store.ts"
import { user } from "../support/user.ts"

const skiff = openStore()
const token = join(skiff.home, "token")
writeFileSync(token, "correct-horse-battery-staple\n", { mode: 0o600 })
chownSync(token, user.uid, user.gid)

const MOUNT = "RUN --mount=type=secret,id=token"
const buildWith = (dockerfile: string, ...flags: string[]): Promise<Outcome> =>
  build(skiff, { Dockerfile: dockerfile }, "--secret", `id=token,src=${token}`, ...flags)

/** What is said of secrets; without the values themselves. */
async function warningsOf(dockerfile: string, ...flags: string[]): Promise<string[]> {
  const { code, stdout, stderr } = await buildWith(dockerfile, ...flags)
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.any(String) })
  expect(`${stdout}${stderr}`).not.toContain("correct-horse")
  return stderr.split("\n").filter((line) => line.includes("SecretInLayer"))
}

const told = (file: string, line = 2) => [
  ` - SecretInLayer: The secret 'token' is in "${file}", in the layer of this RUN (line ${line})`,
]

describe("a build warns of a secret in a layer", () => {
  test("copied as it is", async () => {
    expect(await warningsOf(`FROM busybox\n${MOUNT} cp /run/secrets/token /root/.netrc`)).toEqual(told("/root/.netrc"))
  })

  test("written by a program, among other text, without its line break", async () => {
    const program = "for f in /run/secrets/*; do x=$(cat $f); printf 'a%sb' $x | tee /etc/made > /dev/null; done"
    expect(await warningsOf(`FROM busybox\nRUN true\n${MOUNT} ${program}`)).toEqual(told("/etc/made", 3))
  })

  test("across two of the pieces in which a layer is read", async () => {
    for (const before of [1_047_500, 1_048_560]) {
      const program = `(dd if=/dev/zero bs=${before} count=1; cat $(ls -d /run/secrets/*)) 2>/dev/null > /big`
      expect(await warningsOf(`FROM busybox\n${MOUNT} ${program}`)).toEqual(told("/big"))
    }
  })

  test("given as a variable", async () => {
    const step = "RUN --mount=type=secret,id=token,env=TOKEN env > /environment"
    expect(await warningsOf(`FROM busybox\n${step}`)).toEqual(told("/environment"))
  })

  test("in a name or a link", async () => {
    const [line = ""] = await warningsOf(`FROM busybox\n${MOUNT} ln -s $(cat /run/secrets/token) /link`)
    expect(line).toContain("is in the layer of this RUN")
  })

  test("where the build that made the layer did not come to read it", async () => {
    const dockerfile = `FROM busybox\n${MOUNT} cat /run/secrets/token > /kept-by-a-dead-build`
    const flags = ["build", "--secret", `id=token,src=${token}`, makeContext(skiff, { Dockerfile: dockerfile })]
    expect((await skiff.run(flags, { env: { SKIFF_CRASH_AT: "build:recorded" } })).code).toBe(137)
    expect(await warningsOf(dockerfile)).toEqual(told("/kept-by-a-dead-build"))
  })
})

describe("a build does not warn", () => {
  test.each([
    ["of a secret that is used", `${MOUNT} sha256sum /run/secrets/token > /sum`],
    ["of one that the same RUN removes", `${MOUNT} cp /run/secrets/token /t && rm /t`],
    ["of what a RUN without the mount writes", "RUN echo correct-$(echo horse)-battery-staple > /t"],
    ["where it is told not to", `# check=skip=SecretInLayer\n${MOUNT} cp /run/secrets/token /told`],
  ])("%s", async (_, step) => {
    expect(await warningsOf(`FROM busybox\n${step}`)).toEqual([])
  })

  test("of one that is too short to mean anything", async () => {
    const short = join(skiff.home, "short")
    writeFileSync(short, "1234\n", { mode: 0o600 })
    chownSync(short, user.uid, user.gid)
    const step = "RUN --mount=type=secret,id=pin cp /run/secrets/pin /pin"
    expect(await warningsOf(`FROM busybox\n${step}`, "--secret", `id=pin,src=${short}`)).toEqual([])
  })
})

test("--check knows it by the text alone", async () => {
  const { code, stdout, stderr } = await buildWith(
    `FROM busybox\n${MOUNT} cp /run/secrets/token /root/.netrc`,
    "--check",
  )
  expect(`${stdout}${stderr}`).toContain("WARNING: SecretInLayer\nRUN writes the secret 'token' into the layer")
  expect(code).toBe(1)
})
