/** `skiff build`: what a person sees when it goes wrong, and while it goes. One user is enough. */
import { describe, expect, test } from "bun:test"
import { join } from "node:path"
import { build, makeContext } from "../support/build.ts"
import { openStore } from "../support/store.ts"
import { tar } from "../support/tar.ts"
import { openTerminal } from "../support/terminal.ts"

const skiff = openStore()
const failed = async (dockerfile: string, ...flags: string[]) => {
  const { code, stderr, stdout } = await build(skiff, { Dockerfile: dockerfile }, ...flags)
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" })
  expect(stderr).not.toMatch(/\n {4}at /)
  return stderr
}

describe("a failing RUN", () => {
  const dockerfile =
    "FROM busybox\n\nRUN echo first\nRUN echo out; \\\n    echo err >&2; \\\n    exit 42\nRUN echo never\n"

  test("shows its lines, its last output, its exit code", async () => {
    const stderr = await failed(dockerfile)
    // two pipes, which the runtime may read in any order
    expect(stderr).toMatch(
      /^------\n > \[\d\/\d\] RUN echo out;.*:\n(?:[\d.]+ out\n[\d.]+ err|[\d.]+ err\n[\d.]+ out)\n------$/m,
    )
    expect(stderr).toContain("Dockerfile:4")
    expect(stderr).toMatch(/^ +3 \| +RUN echo first$/m)
    expect(stderr).toMatch(/^ +4 \| >>> RUN echo out; \\$/m)
    expect(stderr).toMatch(/^ +6 \| >>> +exit 42$/m)
    expect(stderr).toMatch(/exit code: 42/)
    expect(stderr).not.toContain("never\n#")
  })

  test("quietly shows the same, after the fact", async () => {
    const directory = makeContext(skiff, { Dockerfile: dockerfile })
    const { code, stdout, stderr } = await skiff.run(["build", "-q", directory])
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" })
    expect(stderr).toMatch(/ err\n/)
  })

  test("by a signal, and by a program that is not there", async () => {
    expect(await failed("FROM busybox\nRUN sh -c 'kill -9 $$'; exit $?\n")).toMatch(/exit code: 137|signal/)
    expect(await failed('FROM busybox\nRUN ["/no/such/program"]\n')).toContain("/no/such/program")
  })
})

test("a file that no layer can hold is told with the line that made it, also when that comes from the cache", async () => {
  const dockerfile = "FROM busybox\nENV A=1\nRUN touch /.wh.passwd\nRUN true\n"
  for (const _ of [1, 2]) {
    const stderr = await failed(dockerfile)
    expect(stderr).toMatch(/Dockerfile:3: the file "\.wh\.passwd" cannot be put into a layer/)
    expect(stderr).toMatch(/^ +3 \| >>> RUN touch \/\.wh\.passwd$/m)
    expect(stderr).toContain("hint: give it another name")
  }
})

describe("a Dockerfile that is wrong", () => {
  test.each([
    ["FROM busybox\nRUNN echo\n", "RUNN"],
    ["RUN echo\n", "FROM"],
    ["FROM busybox\nCOPY a\n", "COPY"],
    ["FROM busybox\nENV\n", "ENV"],
    ["FROM busybox\nHEALTHCHECK --interval=x CMD true\n", "interval"],
    ["FROM busybox\nCOPY --from=later /a /b\n", "later"],
    ["FROM busybox\nRUN <<EOF\nnever ends\n", "EOF"],
    ["FROM busybox\nRUN --mount=type=nonsense true\n", "nonsense"],
    ["FROM busybox\nEXPOSE 99999\n", "99999"],
    ["FROM ${UNSET_ARG}\n", "FROM"],
    ["", "Dockerfile"],
  ])("%j says so and shows the line", async (dockerfile, word) => {
    const stderr = await failed(dockerfile)
    expect(stderr).toContain(word)
    if (dockerfile !== "") expect(stderr).toMatch(/Dockerfile:\d/)
  })

  test("no target, no Dockerfile, no context", async () => {
    expect(await failed("FROM busybox AS one\n", "--target", "two")).toContain("two")
    const empty = await skiff.run(["build", makeContext(skiff, { other: "" })])
    expect(empty.code).toBe(1)
    expect(empty.stderr).toContain("Dockerfile")
    const absent = await skiff.run(["build", join(skiff.directory, "absent")])
    expect(absent.code).not.toBe(0)
    expect(absent.stderr).toContain("absent")
  })
})

test("--check lints and builds nothing", async () => {
  const dockerfile = `FROM busybox AS Unused
FROM busybox
ENV API_TOKEN=x
RUN echo should-not-run
CMD echo hi
`
  const { code, stdout, stderr } = await build(skiff, { Dockerfile: dockerfile }, "--check")
  expect({ code, stderr }).toEqual({ code: 1, stderr: "" })
  for (const rule of ["JSONArgsRecommended", "SecretsUsedInArgOrEnv"]) expect(stdout).toContain(rule)
  expect(stdout).toContain("CMD echo hi")
  const clean = await build(skiff, { Dockerfile: 'FROM scratch\nCOPY . /\nUSER 1000\nCMD ["/x"]\n' }, "--check")
  expect(clean.stdout).toContain("no warnings")
  expect(clean.code).toBe(0)
})

test("--check reads a context that comes from standard input to its end", async () => {
  const context = tar([{ name: "Dockerfile", content: 'FROM scratch\nCOPY . /\nUSER 1000\nCMD ["/x"]\n' }])
  const { code, stdout, stderr } = await skiff.run(["build", "--check", "-"], {
    stdin: Buffer.from(context).toString(),
  })
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
  expect(stdout).toContain("no warnings")
})

describe("on a terminal", () => {
  test("a tree with times, redrawn in place, whole at its end", async () => {
    const dockerfile = "FROM busybox\nRUN for i in 1 2 3; do echo line-$i; sleep 0.3; done\nRUN true\n"
    const terminal = openTerminal(
      skiff,
      ["build", makeContext(skiff, { Dockerfile: dockerfile })],
      "stty rows 24 cols 70; ",
    )
    expect(await terminal.exited).toBe(0)
    const screen = terminal.screen()
    expect(screen).toContain(" => => # line-1")
    const last = screen.slice(screen.lastIndexOf("[+] Building"))
    expect(last).toMatch(/^\[\+\] Building \d+\.\ds \((\d+)\/\1\) FINISHED/)
    expect(last).toMatch(/=> \[2\/3\] RUN for i in 1 2 3; .* \d\.\ds/)
    expect(last).not.toContain("line-1")
  })

  test("an archive is not written to it", async () => {
    const terminal = openTerminal(skiff, ["build", "-o", "-", makeContext(skiff, { Dockerfile: "FROM busybox\n" })])
    expect(await terminal.exited).toBe(1)
    expect(terminal.screen()).toContain("refusing to write an archive to the terminal")
  })

  test("a program's control sequences steer nothing", async () => {
    const dockerfile = "FROM busybox\nRUN printf '\\033]0;pwned\\007\\033[2J\\033[1;1Hevil\\n'; sleep 0.4; false\n"
    for (const mode of ["tty", "plain"]) {
      const args = ["build", "--progress", mode, makeContext(skiff, { Dockerfile: dockerfile })]
      const terminal = openTerminal(skiff, args)
      expect(await terminal.exited).toBe(1)
      expect(terminal.screen()).toContain("evil")
      expect(terminal.screen()).not.toContain("\u001b]0;")
      expect(terminal.screen()).not.toContain("\u001b[2J")
      expect(terminal.screen()).not.toContain("\u001b[1;1H")
    }
  })
})
