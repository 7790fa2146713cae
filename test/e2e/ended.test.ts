/** Why a container ended: `inspect` and `ps -a` say it in words, each with a real end. */
import { beforeAll, describe, expect, test } from "bun:test"
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { spawnSync } from "node:child_process"
import { busyboxEntries } from "../support/image.ts"
import { sharedRegistry } from "../support/registry.ts"
import { noLimits, openStore, testUnless } from "../support/store.ts"
import { openTerminal } from "../support/terminal.ts"
import { user } from "../support/user.ts"
import { eventually } from "../support/wait.ts"

const skiff = openStore()
const caller = user.rootless ? "skiff-test" : "root"

/** A program of this host, as if it were another machine's: `e_machine` says so (elf(5)). */
function forOtherMachine(): Uint8Array {
  const bytes = Buffer.from(readFileSync("/bin/busybox"))
  bytes.writeUInt16LE(process.arch === "arm64" ? 0x3e : 0xb7, 18)
  return bytes
}
const otherMachine = process.arch === "arm64" ? "amd64" : "arm64"

/** A program that needs a library which is nowhere, with this host's loader and C library beside it. */
function needsLibrary(): { name: string; mode: number; content: Uint8Array }[] {
  const directory = mkdtempSync(join(tmpdir(), "skiff-needs-"))
  try {
    copyFileSync("/bin/true", join(directory, "needy"))
    const { stdout } = spawnSync("ldd", ["/bin/true"], { encoding: "utf8" })
    const [, loader = ""] = /^\s*(\/\S*ld-linux\S*)/m.exec(stdout) ?? []
    const needy = readFileSync(join(directory, "needy"))
    // one letter of the name in its list of libraries
    const at = needy.indexOf("libc.so.6\0")
    if (at < 0 || loader === "") throw new Error("/bin/true needs no libc.so.6")
    needy.write("libq.so.6", at, "latin1")
    return [
      { name: "bin/needy", mode: 0o755, content: needy },
      { name: loader.slice(1), mode: 0o755, content: readFileSync(loader) },
    ]
  } finally {
    rmSync(directory, { recursive: true })
  }
}

const script = (text: string) => ({ mode: 0o755, content: text })

let foreignImage = ""

beforeAll(async () => {
  const registry = await sharedRegistry()
  const needy = needsLibrary()
  const reference = await registry.push("ended/broken:latest", {
    layers: [
      {
        entries: [
          ...busyboxEntries(),
          { name: "bin/bash-script", ...script("#!/bin/bash\necho hi\n") },
          { name: "bin/windows", ...script("#!/bin/sh\r\necho hi\r\n") },
          { name: "bin/no-first-line", ...script("echo hi\n") },
          { name: "bin/plain", mode: 0o644, content: "#!/bin/sh\n" },
          { name: "bin/foreign", mode: 0o755, content: forOtherMachine() },
          { name: "bin/dynamic", mode: 0o755, content: readFileSync("/bin/true") },
        ],
      },
    ],
    config: { Cmd: ["sh"], Env: ["PATH=/usr/bin:/bin"] },
  })
  foreignImage = await registry.push("ended/foreign:latest", {
    architecture: otherMachine,
    layers: [{ entries: [...busyboxEntries(), { name: "bin/foreign", mode: 0o755, content: forOtherMachine() }] }],
  })
  const dynamic = await registry.push("ended/library:latest", {
    layers: [{ entries: [...busyboxEntries(), { name: "lib64/", type: "directory", mode: 0o755 }, ...needy] }],
    config: { Cmd: ["needy"], Env: ["PATH=/usr/bin:/bin"] },
  })
  for (const [name, from] of [
    ["broken", reference],
    ["library", dynamic],
  ] as const) {
    await skiff.ok("pull", "-q", from)
    await skiff.ok("tag", from, name)
  }
})

/** Runs a container to its end, and gives what inspect says of it. */
async function endOf(...args: string[]): Promise<{ because: string; code: number; stderr: string; exitCode: number }> {
  const { code, stderr } = await skiff.run(["run", "--name", "ends", ...args])
  try {
    return { ...(await whatIsSaid("ends")), code, stderr }
  } finally {
    await skiff.ok("rm", "-f", "ends")
  }
}

async function whatIsSaid(name: string): Promise<{ because: string; exitCode: number }> {
  const format = "{{.State.ExitCode}}\n{{.State.EndedBecause}}"
  const [code, because = ""] = (await skiff.ok("inspect", "--format", format, name)).split("\n")
  // ps says the same, as soon as the end has been cleaned up
  await eventually(async () =>
    expect(await skiff.ok("ps", "-a", "--filter", `name=${name}`, "--format", "{{.EndedBecause}}")).toBe(because),
  )
  return { because, exitCode: Number(code) }
}

describe("the program", () => {
  test("that did its work", async () => {
    expect((await endOf("busybox", "true")).because).toBe(
      "the program did what it had to do and ended with exit code 0",
    )
  })

  test("that failed by itself", async () => {
    expect((await endOf("busybox", "sh", "-c", "exit 3")).because).toBe("the program ended by itself with exit code 3")
  })

  test("that is not there, with the nearest name", async () => {
    const { because, code, stderr } = await endOf("broken", "slep", "1")
    expect({ because, code }).toEqual({
      because: 'there is no program "slep" in the image; the nearest name is "sleep"',
      code: 127,
    })
    expect(stderr).toContain("did you mean sleep?")
  })

  test("whose path is wrong, with the nearest path", async () => {
    expect((await endOf("broken", "/usr/bin/httpd")).because).toBe(
      'there is no program "/usr/bin/httpd" in the image; the nearest name is "/bin/httpd"',
    )
  })

  test("that may not be executed", async () => {
    const { because, code, stderr } = await endOf("broken", "/bin/plain")
    expect(because).toBe('"/bin/plain" may not be executed: its mode is 0644, and chmod +x is missing in the image')
    expect(code).toBe(126)
    expect(stderr).toContain(`hint: ${because}`)
  })

  test("that is a directory", async () => {
    expect(await endOf("broken", "/bin")).toMatchObject({ because: '"/bin" is a directory, and no program', code: 126 })
  })

  test("of another architecture, with both names", async () => {
    const host = process.arch === "x64" ? "linux/amd64" : `linux/${process.arch}`
    expect((await endOf("broken", "foreign")).because).toBe(
      `wrong architecture: the image is ${host}, its "/bin/foreign" is for linux/${otherMachine}, and this host is ${host}`,
    )
  })

  test("of an image for another architecture, with the names of both", async () => {
    const { because } = await endOf("--platform", `linux/${otherMachine}`, foreignImage, "foreign")
    expect(because).toStartWith(`wrong architecture: the image is linux/${otherMachine}, its "/bin/foreign" is for`)
  })

  test("that is a script whose interpreter is not there", async () => {
    expect((await endOf("broken", "bash-script")).because).toBe(
      'the interpreter "/bin/bash" of the script "/bin/bash-script" is not in the image',
    )
  })

  test("that is a script with line ends of Windows", async () => {
    expect((await endOf("broken", "windows")).because).toContain("ends with a carriage return (Windows line ends)")
  })

  test("that is a script without a first line", async () => {
    expect((await endOf("broken", "no-first-line")).because).toBe(
      '"/bin/no-first-line" is neither a program nor a script: it has no first line such as #!/bin/sh',
    )
  })

  test("whose dynamic loader is not there", async () => {
    expect((await endOf("broken", "dynamic")).because).toMatch(
      /^the dynamic loader "\S*ld-linux\S*" of "\/bin\/dynamic" is not in the image: the program was built for glibc, and the image has no C library$/,
    )
  })

  test("whose library is not there, named by what the loader said", async () => {
    const { because, exitCode } = await endOf("library")
    expect(exitCode).toBe(127)
    expect(because).toBe('the shared library "libq.so.6", which "needy" needs, is not in the image (exit code 127)')
  })

  test("that is a shell which does not find a command, with the nearest name", async () => {
    expect((await endOf("busybox", "sh", "-c", "sleeep 1")).because).toBe(
      'a shell did not find the command "sleeep" (exit code 127); the nearest name is "sleep"',
    )
  })

  test("that is a shell which may not run a command", async () => {
    expect((await endOf("broken", "sh", "-c", "/bin/plain")).because).toBe(
      'a shell was not allowed to run "/bin/plain" (exit code 126)',
    )
  })
})

describe("a signal", () => {
  test("sent by kill, with its sender", async () => {
    await skiff.ok("run", "-d", "--name", "killed", "busybox", "sleep", "1000")
    await skiff.ok("kill", "killed")
    expect((await whatIsSaid("killed")).because).toBe(`killed by SIGKILL, sent by ${caller} with skiff`)
    await skiff.ok("rm", "killed")
  })

  test("of stop that the program answered, with its own exit code", async () => {
    const trap = "trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done"
    await skiff.ok("run", "-d", "--name", "polite", "busybox", "sh", "-c", trap)
    await eventually(async () => expect(await skiff.ok("logs", "polite")).toBe("ready"))
    await skiff.ok("stop", "polite")
    expect((await whatIsSaid("polite")).because).toBe(
      `the program ended by itself with exit code 7, after SIGTERM from ${caller}`,
    )
    await skiff.ok("rm", "polite")
  })

  test("from elsewhere: nobody is blamed", async () => {
    await skiff.ok("run", "-d", "--name", "struck", "busybox", "sleep", "1000")
    process.kill((await skiff.inspect("struck")).State.Pid, "SIGKILL")
    await eventually(async () => expect((await skiff.inspect("struck")).State.Status).toBe("exited"))
    await eventually(async () =>
      expect((await whatIsSaid("struck")).because).toBe(
        "killed by SIGKILL (exit code 137); who sent it is not known: it was not sent with skiff",
      ),
    )
    await skiff.ok("rm", "struck")
  })

  test("for its time to run is over", async () => {
    expect((await endOf("--timeout", "1", "busybox", "sleep", "1000")).because).toBe(
      "killed after the 1 seconds that it was given to run",
    )
  })

  test("of an earlier run is forgotten by the next one", async () => {
    await skiff.ok(
      "run",
      "-d",
      "--name",
      "again",
      "busybox",
      "sh",
      "-c",
      "test -e /second || { >/second; sleep 1000; }",
    )
    await eventually(async () => await skiff.ok("exec", "again", "test", "-e", "/second"))
    await skiff.ok("kill", "again")
    await skiff.ok("start", "again")
    await skiff.ok("wait", "again")
    expect((await whatIsSaid("again")).because).toContain("did what it had to do")
    await skiff.ok("rm", "again")
  })
})

describe("memory", () => {
  testUnless(noLimits)("that ran out, with the limit and the peak", async () => {
    // into the shell's own memory
    const grow = "x=0123456789abcdef; while :; do x=$x$x; done"
    const { because, code } = await endOf("-m", "24m", "--memory-swap", "24m", "busybox", "sh", "-c", grow)
    expect(code).toBe(137)
    expect(because).toMatch(
      /^out of memory: the kernel killed it at its limit of 24MiB( \(peak (2[234](\.\d+)?)MiB\))?$/,
    )
  })
})

test("a terminal's ps has a word of it beside the exit code, a pipe has docker's text to the letter", async () => {
  await skiff.run(["run", "--name", "shown", "broken", "slep"])
  await skiff.run(["run", "--name", "ended", "broken", "foreign"])
  const terminal = openTerminal(skiff, ["ps", "-a"], "stty rows 40 cols 250; ")
  await terminal.exited
  expect(terminal.screen()).toMatch(/Created, no such program/)
  expect(terminal.screen()).toMatch(/Exited \(1\) .* ago, wrong architecture/)
  const { stdout } = await skiff.run(["ps", "-a"])
  expect(stdout).not.toContain("wrong architecture")
  expect(await skiff.ok("ps", "-a", "--format", "{{.Status}}", "--filter", "name=shown")).toBe("Created")
  await skiff.ok("rm", "shown", "ended")
})

test("what never ran has not ended", async () => {
  await skiff.ok("create", "--name", "unborn", "busybox")
  expect((await whatIsSaid("unborn")).because).toBe("")
  await skiff.ok("rm", "unborn")
})

test("what the engine could not start says so, in its words", async () => {
  await skiff.ok("create", "--name", "nowhere", "--network", "container:gone", "busybox").catch(() => {})
  await skiff.ok("run", "-d", "--name", "host", "busybox", "sleep", "1000")
  await skiff.ok("create", "--name", "guest", "--network", "container:host", "busybox", "true")
  await skiff.ok("rm", "-f", "host")
  expect((await skiff.run(["start", "guest"])).code).not.toBe(0)
  expect((await whatIsSaid("guest")).because).toStartWith("it could not be started: ")
  await skiff.ok("rm", "guest")
})
