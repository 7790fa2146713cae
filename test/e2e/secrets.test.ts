/** Secrets: kept in the store, copied into containers, and told to nobody. */
import { spawnSync } from "node:child_process"
import { readdirSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, test } from "bun:test"
import { openStore } from "../support/store.ts"

const skiff = openStore()
const VALUE = "correct-horse-battery-staple"

/** Makes a secret of `value`, and gives its id. */
async function makeSecret(name: string, value = VALUE, ...flags: string[]): Promise<string> {
  const { code, stdout, stderr } = await skiff.run(["secret", "create", ...flags, name, "-"], { stdin: value })
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
  return stdout.trim()
}

const run = (script: string, ...flags: string[]) => skiff.ok("run", "--rm", ...flags, "busybox", "sh", "-c", script)

describe("the store of secrets", () => {
  test("create prints an id; ls, inspect and exists know it by name and by id", async () => {
    const id = await makeSecret("known", VALUE, "--label", "team=web")
    expect(id).toMatch(/^[0-9a-f]{25}$/)
    expect(await skiff.ok("secret", "ls", "--format", "{{.Name}} {{.Driver}}", "-f", "name=known")).toBe("known file")
    expect(await skiff.ok("secret", "ls", "-q", "-f", "label=team=web")).toBe(id)
    for (const name of ["known", id, id.slice(0, 12)])
      expect((await skiff.run(["secret", "exists", name])).code).toBe(0)
    expect((await skiff.run(["secret", "exists", "unknown"])).code).toBe(1)
    const [document] = JSON.parse(await skiff.ok("secret", "inspect", "known")) as [Record<string, unknown>]
    expect(document).toMatchObject({
      ID: id,
      Spec: { Name: "known", Driver: { Name: "file", Options: {} }, Labels: { team: "web" } },
    })
    expect(document.SecretData).toBeUndefined()
    expect(await skiff.ok("secret", "inspect", "--showsecret", "-f", "{{.SecretData}}", "known")).toBe(VALUE)
    expect(await skiff.ok("secret", "inspect", "--pretty", "known")).toContain("Name:            known")
  })

  test("its bytes come from a file and from a variable, too", async () => {
    const file = join(skiff.directory, "value.txt")
    writeFileSync(file, "from a file\n", { mode: 0o644 })
    await skiff.ok("secret", "create", "of-file", file)
    const { code } = await skiff.run(["secret", "create", "--env", "of-env", "VALUE"], { env: { VALUE: "from env" } })
    expect(code).toBe(0)
    for (const [name, value] of [
      ["of-file", "from a file"],
      ["of-env", "from env"],
    ] as const)
      expect(await skiff.ok("secret", "inspect", "--showsecret", "-f", "{{.SecretData}}", name)).toBe(value)
    expect((await skiff.run(["secret", "create", "none", join(skiff.directory, "absent")])).code).toBe(125)
    expect((await skiff.run(["secret", "create", "--env", "none", "NOT_SET"])).code).toBe(125)
  })

  test("a name in use is refused, replaced by --replace, left by --ignore", async () => {
    const first = await makeSecret("twice", "one")
    const { code, stderr } = await skiff.run(["secret", "create", "twice", "-"], { stdin: "two" })
    expect(code).toBe(1)
    expect(stderr).toContain("secret name in use")
    expect(await makeSecret("twice", "two", "--ignore")).toBe(first)
    const second = await makeSecret("twice", "two", "--replace")
    expect(second).not.toBe(first)
    expect(await skiff.ok("secret", "inspect", "--showsecret", "-f", "{{.SecretData}}", "twice")).toBe("two")
  })

  test("an empty one, one that is too large and bad names are refused", async () => {
    const sizes = ["", "x".repeat(512_001)]
    for (const stdin of sizes) {
      const { code, stderr } = await skiff.run(["secret", "create", "size", "-"], { stdin })
      expect(code).toBe(1)
      expect(stderr).toContain("secret data must be larger than 0 and at most 512000 bytes")
    }
    for (const name of ["a,b", "a=b", "../x", "x".repeat(254), ""])
      expect((await skiff.run(["secret", "create", name, "-"], { stdin: "x" })).code).not.toBe(0)
    expect((await skiff.run(["secret", "create", "-d", "pass", "driver", "-"], { stdin: "x" })).stderr).toContain(
      "no such secret driver",
    )
  })

  test("rm removes by name or id, with the bytes, and goes on after one that is not there", async () => {
    await makeSecret("gone")
    const { code, stderr } = await skiff.run(["secret", "rm", "absent", "gone"])
    expect(code).toBe(1)
    expect(stderr).toContain('no such secret: "absent"')
    expect((await skiff.run(["secret", "exists", "gone"])).code).toBe(1)
    expect((await skiff.run(["secret", "rm", "--ignore", "gone"])).code).toBe(0)
    const ids = (await skiff.ok("secret", "ls", "-q")).split("\n")
    expect(readdirSync(join(skiff.root, "secrets")).toSorted()).toEqual(ids.toSorted())
  })

  test("a kill -9 leaves no bytes that no name leads to, and loses none that one does", async () => {
    const dies = (at: string, stdin: string, ...args: string[]) =>
      skiff.run(["secret", ...args], { stdin, env: { SKIFF_CRASH_AT: at } })
    const read = (name: string) => skiff.ok("secret", "inspect", "--showsecret", "-f", "{{.SecretData}}", name)
    await dies("secret:written", "lost", "create", "killed", "-")
    expect((await skiff.run(["secret", "exists", "killed"])).code).toBe(1)
    await makeSecret("killed", "first")
    await dies("secret:written", "second", "create", "--replace", "killed", "-")
    expect(await read("killed")).toBe("first")
    await dies("secret:replaced", "second", "create", "--replace", "killed", "-")
    expect(await read("killed")).toBe("second")
    await dies("secret:removing", "", "rm", "killed")
    await skiff.ok("secret", "rm", "killed")
    await makeSecret("sweeps")
    const ids = (await skiff.ok("secret", "ls", "-q")).split("\n")
    expect(readdirSync(join(skiff.root, "secrets")).toSorted()).toEqual(ids.toSorted())
  })

  test("the file is readable by the store's owner alone", async () => {
    const id = await makeSecret("mode")
    const directory = join(skiff.root, "secrets")
    expect(statSync(directory).mode & 0o777).toBe(0o700)
    expect(statSync(join(directory, id)).mode & 0o777).toBe(0o600)
  })
})

describe("a container with a secret", () => {
  test("finds it below /run/secrets, on a tmpfs, read-only, with the owner and mode that were asked for", async () => {
    await makeSecret("plain")
    expect(await run("cat /run/secrets/plain", "--secret", "plain")).toBe(VALUE)
    expect(await run("stat -c '%u:%g %a' /run/secrets/plain", "--secret", "plain")).toBe("0:0 444")
    const given = "plain,uid=1000,gid=2000,mode=0400,target=renamed"
    expect(await run("stat -c '%u:%g %a' /run/secrets/renamed", "--secret", given)).toBe("1000:2000 400")
    expect(await run("cat /etc/app/key", "--secret", "source=plain,target=/etc/app/key")).toBe(VALUE)
    expect(await run("grep ' /run/secrets/plain ' /proc/mounts | cut -d' ' -f3", "--secret", "plain")).toBe("tmpfs")
    expect(await run("echo x 2>/dev/null > /run/secrets/plain || echo no", "--secret", "plain")).toBe("no")
  })

  test("gets it as a variable, in exec as well, and inspect does not show it", async () => {
    await makeSecret("variable")
    await skiff.ok(
      "run",
      "-d",
      "--name",
      "env",
      "--secret",
      "variable,type=env,target=TOKEN",
      "busybox",
      "sleep",
      "1000",
    )
    expect(await skiff.ok("exec", "env", "sh", "-c", "echo $TOKEN")).toBe(VALUE)
    const text = await skiff.ok("inspect", "env")
    expect(text).not.toContain(VALUE)
    expect(JSON.parse(text)).toMatchObject([{ Config: { Secrets: [{ Name: "variable", UID: 0 }] } }])
    await skiff.ok("rm", "-f", "env")
  })

  test("keeps its own copy over rm, --replace and a restart", async () => {
    await makeSecret("changes", "old")
    await skiff.ok("run", "-d", "--name", "keeps", "--secret", "changes", "busybox", "sleep", "1000")
    await makeSecret("changes", "new", "--replace")
    await skiff.ok("restart", "-t", "0", "keeps")
    expect(await skiff.ok("exec", "keeps", "cat", "/run/secrets/changes")).toBe("old")
    await skiff.ok("secret", "rm", "changes")
    await skiff.ok("restart", "-t", "0", "keeps")
    expect(await skiff.ok("exec", "keeps", "cat", "/run/secrets/changes")).toBe("old")
    await skiff.ok("rm", "-f", "keeps")
  })

  test("is in no commit, export, log or event, and nothing of it stays when the container goes", async () => {
    await makeSecret("hidden")
    const since = `${Date.now() / 1000}`
    await skiff.ok(
      "run",
      "-d",
      "--name",
      "hides",
      "--secret",
      "hidden",
      "--secret",
      "hidden,type=env",
      "busybox",
      "sleep",
      "9",
    )
    await skiff.ok("commit", "-q", "hides", "committed")
    const told = await Promise.all([
      skiff.ok("inspect", "committed"),
      skiff.ok("export", "hides"),
      skiff.ok("save", "committed"),
      skiff.ok("logs", "hides"),
      skiff.ok("events", "--since", since, "--until", `${Date.now() / 1000}`),
    ])
    for (const text of told) expect(text).not.toContain(VALUE)
    expect(await skiff.ok("run", "--rm", "committed", "sh", "-c", "ls /run/secrets 2>/dev/null; echo end")).toBe("end")
    await skiff.ok("rm", "-f", "hides")
    await skiff.ok("rmi", "committed")
    await skiff.ok("secret", "rm", "--all")
    // the records' log, the blobs, the layers: all that the store has
    const found = spawnSync("grep", ["-rl", VALUE, skiff.root, skiff.runRoot], { encoding: "utf8" })
    expect(found.stdout).toBe("")
  })

  test("wrong requests are refused with their reason, and leave no container", async () => {
    await makeSecret("wrong")
    for (const [text, words] of [
      ["absent", "no such secret"],
      ["wrong,type=file", "type file is invalid"],
      ["wrong,mode=999", "is no octal number"],
      ["wrong,type=env,uid=1", "cannot be set with secret type env"],
      ["wrong,target=../../etc/passwd", "is no path of a file"],
      ["wrong,target=/proc/x", "nothing can be mounted"],
      ["wrong,target=/a/../../b", "is no path of a file"],
      ["wrong,colour=red", "is unknown"],
    ] as const) {
      const { code, stderr } = await skiff.run(["run", "--rm", "--secret", text, "busybox", "true"])
      expect({ text, code }).toEqual({ text, code: 125 })
      expect(stderr).toContain(words)
    }
    const twice = ["--secret", "wrong", "--secret", "wrong"]
    expect((await skiff.run(["run", "--rm", ...twice, "busybox", "true"])).stderr).toContain("two secrets")
    expect(await skiff.ok("ps", "-aq")).toBe("")
  })
})
