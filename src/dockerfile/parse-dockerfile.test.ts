import { describe, expect, test } from "bun:test"
import * as fc from "fast-check"
import type { Instruction } from "./dockerfile.ts"
import { parseDockerfile, parseTrigger } from "./parse-dockerfile.ts"
import { cpuMs } from "../../test/support/cpu-time.ts"

/** The instructions below one FROM. */
function instructions(text: string): readonly Instruction[] {
  return parseDockerfile(`FROM scratch\n${text}`).stages[0]?.instructions ?? []
}

describe("parseDockerfile() reads", () => {
  const cases: [line: string, instruction: object][] = [
    ["RUN make  all", { kind: "run", command: { words: ["make  all"], shell: true } }],
    ['RUN ["make", "all"]', { command: { words: ["make", "all"], shell: false } }],
    ["RUN ['make']", { command: { words: ["['make']"], shell: true } }],
    ["RUN [ -f x ] && y", { command: { words: ["[ -f x ] && y"], shell: true } }],
    ["run --network=none --security=sandbox x", { keyword: "run", network: "none", security: "sandbox" }],
    ["RUN --mount=type=cache,target=/a --mount=target=/b x", { mounts: ["type=cache,target=/a", "target=/b"] }],
    ['RUN --mount="type=bind,target=/a b" x', { mounts: ["type=bind,target=/a b"] }],
    ["RUN -- --x", { command: { words: ["--x"], shell: true } }],
    ["RUN echo --x=y", { command: { words: ["echo --x=y"], shell: true } }],
    ["CMD", { kind: "cmd", command: { words: [], shell: true } }],
    ["CMD []", { command: { words: [], shell: false } }],
    ["ENTRYPOINT exec x", { kind: "entrypoint", command: { words: ["exec x"], shell: true } }],
    ["COPY a b  c/", { kind: "copy", sources: ["a", "b"], target: "c/", from: "", link: false, parents: false }],
    ['COPY ["a b", "c d"]', { sources: ["a b"], target: "c d" }],
    [
      "COPY --from=x --chown=1:2 --chmod=644 --link --parents --exclude=*.md --exclude=b a /",
      { from: "x", chown: "1:2", chmod: "644", link: true, parents: true, exclude: ["*.md", "b"] },
    ],
    ["COPY --link=false a /", { link: false }],
    ["ADD --checksum=sha256:x --keep-git-dir --unpack=false u /", { kind: "add", keepGitDir: true, unpack: false }],
    ["ADD a /", { checksum: "", chown: "" }],
    ["ENV a=b", { kind: "env", pairs: [{ key: "a", value: "b" }] }],
    ["ENV a b=c d", { pairs: [{ key: "a", value: "b=c d", legacy: true }] }],
    ["ENV a=", { pairs: [{ key: "a", value: "" }] }],
    [
      `ENV a="b c" d=e\\ f 'g'=h`,
      {
        pairs: [
          { key: "a", value: '"b c"' },
          { key: "d", value: "e\\ f" },
          { key: "'g'", value: "h" },
        ],
      },
    ],
    ["LABEL a.b=c", { kind: "label", pairs: [{ key: "a.b", value: "c" }] }],
    ["ARG a b=c d=", { kind: "arg", args: [{ key: "a" }, { key: "b", value: "c" }, { key: "d", value: "" }] }],
    ["EXPOSE 80 8080/udp 443", { kind: "expose", ports: ["443", "80", "8080/udp"] }],
    ["VOLUME /a /b", { kind: "volume", volumes: ["/a", "/b"] }],
    ['VOLUME ["/a b"]', { volumes: ["/a b"] }],
    ["USER a:b", { kind: "user", value: "a:b" }],
    ["WORKDIR /a b", { kind: "workdir", value: "/a b" }],
    ["MAINTAINER me <a@b>", { kind: "maintainer", value: "me <a@b>" }],
    ["STOPSIGNAL SIGTERM", { kind: "stopsignal", value: "SIGTERM" }],
    ['SHELL ["/bin/bash", "-c"]', { kind: "shell", shell: ["/bin/bash", "-c"] }],
    ["ONBUILD RUN x", { kind: "onbuild", trigger: "RUN x" }],
    ["onbuild  copy a b", { trigger: "copy a b" }],
    ["ONBUILD nonsense", { trigger: "nonsense" }],
    ["HEALTHCHECK NONE", { kind: "healthcheck", check: { test: ["NONE"] } }],
    ["HEALTHCHECK CMD a b", { check: { test: ["CMD-SHELL", "a b"] } }],
    [
      'HEALTHCHECK --interval=5m --timeout=3s --start-period=1s --start-interval=500ms --retries=3 CMD ["a","b"]',
      {
        check: {
          test: ["CMD", "a", "b"],
          interval: 3e11,
          timeout: 3e9,
          startPeriod: 1e9,
          startInterval: 5e8,
          retries: 3,
        },
      },
    ],
    ["HEALTHCHECK --interval=0 CMD a", { check: { interval: 0 } }],
  ]
  test.each(cases)("%s", (line, instruction) => expect(instructions(line)).toMatchObject([instruction]))
})

describe("parseDockerfile() refuses", () => {
  const bad: [text: string, message: string][] = [
    ["", "cannot be empty"],
    [" \n# only words\n", "file with no instructions"],
    ["ARG A\n", "contains no stages"],
    ["RUN x", "Dockerfile:1: no build stage in current context"],
    ["ARG x\nENV a=b", "Dockerfile:2: no build stage"],
    ["FROM", "FROM requires either one or three arguments"],
    ["FROM a as", "FROM requires either one or three arguments"],
    ["FROM a is b", "FROM requires either one or three arguments"],
    ["FROM a AS 1b", 'invalid name for build stage: "1b"'],
    ["FROM a AS b/c", "invalid name for build stage"],
    ["FROM --platfrom=x a", "unknown flag: --platfrom (did you mean platform?)"],
    ["FROM --platform a", "missing a value on flag: --platform"],
    ["FROM a\nRUNN x", "Dockerfile:2: unknown instruction: RUNN (did you mean RUN?)"],
    ["FROM a\nconstructor x", "unknown instruction: constructor"],
    ["FROM a\nRUN --constructor=x y", "unknown flag: --constructor"],
    ["FROM a\nRUN --network=lan x", 'invalid network mode "lan"'],
    ["FROM a\nRUN --device=x/y=z a", "RUN --device is not supported"],
    ["FROM a\nRUN [1]", "arrays must be comprised of strings only"],
    ["FROM a\nCOPY a", "COPY requires at least two arguments"],
    ["FROM a\nCOPY --from=a --from=b x y", "duplicate flag specified: --from"],
    ["FROM a\nCOPY --link=maybe x y", "expecting boolean value for flag --link, not: maybe"],
    ["FROM a\nCOPY x <<EOF\nEOF", "cannot accept a heredoc as a destination"],
    ["FROM a\nCOPY <<../x /\n../x", 'a here-document called "../x" cannot be a file'],
    ["FROM a\nADD --from=x a b", "unknown flag: --from"],
    ["FROM a\nENV", "ENV requires at least one argument"],
    ["FROM a\nENV a", "ENV must have two arguments"],
    ["FROM a\nENV a=b c", `can't find = in "c"`],
    ["FROM a\nENV =b", "ENV names can not be blank"],
    ["FROM a\nENV a=b =c", "ENV names can not be blank"],
    ["FROM a\nARG", "ARG requires at least one argument"],
    ["FROM a\nARG =x", "ARG names can not be blank"],
    ["FROM a\nUSER", "USER requires exactly one argument"],
    ["FROM a\nUSER --x y", "unknown flag: --x"],
    ["FROM a\nEXPOSE", "EXPOSE requires at least one argument"],
    ["FROM a\nVOLUME []", "VOLUME requires at least one argument"],
    ['FROM a\nVOLUME [""]', "VOLUME specified can not be an empty string"],
    ["FROM a\nSHELL bash -c", "SHELL requires the arguments to be in JSON form"],
    ["FROM a\nSHELL []", "SHELL requires at least one argument"],
    ["FROM a\nONBUILD", "ONBUILD requires at least one argument"],
    ["FROM a\nONBUILD ONBUILD RUN x", "isn't allowed"],
    ["FROM a\nONBUILD FROM x", "FROM isn't allowed as an ONBUILD trigger"],
    ["FROM a\nHEALTHCHECK NONE x", "HEALTHCHECK NONE takes no arguments"],
    ["FROM a\nHEALTHCHECK CMD", "missing command after HEALTHCHECK CMD"],
    ["FROM a\nHEALTHCHECK TCP x", 'unknown type "TCP" in HEALTHCHECK (try CMD)'],
    ["FROM a\nHEALTHCHECK --interval=1us CMD x", "cannot be less than 1ms"],
    ["FROM a\nHEALTHCHECK --interval=soon CMD x", 'invalid duration "soon"'],
    ["FROM a\nHEALTHCHECK --retries=-1 CMD x", "cannot be negative"],
    ["FROM a\nRUN <<EOF\nx", "Dockerfile:2: unterminated heredoc"],
    ["FROM a\n".repeat(1001), "more than 1000 stages"],
    ["# escape=x\nFROM a", "invalid escape token 'x'"],
    ["# escape=`\n# escape=`\nFROM a", "Dockerfile:2: only one escape parser directive"],
    ["# check=foo=bar\nFROM a", 'invalid check option "foo"'],
    ["# check=error=perhaps\nFROM a", "failed to parse check option"],
  ]
  test.each(bad)("%j", (text, message) => expect(() => parseDockerfile(text)).toThrow(message))

  test.each(["evil/x", "docker/dockerfile.evil.com/x", "evil.com/x:docker/dockerfile", "docker/dockerfilex:1"])(
    "the front end %s",
    (image) =>
      expect(() => parseDockerfile(`# syntax=${image}\nFROM a`)).toThrow(
        expect.objectContaining({ code: "Unsupported" }),
      ),
  )
})

test.each([
  "docker/dockerfile",
  "docker/dockerfile:1.7-labs",
  "docker.io/docker/dockerfile:1",
  "mirror.example/docker/dockerfile:1",
  "docker/dockerfile-upstream:master",
  "docker/dockerfile:1@sha256:abc",
])("the language %s is ours, and runs nothing", (image) => {
  expect(parseDockerfile(`# syntax=${image}\nFROM a`).syntax).toBe(image)
})

test("an error names the file and quotes the lines around it, marked", () => {
  const text = "FROM a\nENV x=y\nRUN --bad=1 make && \\\n  # why\n  make install\nCMD x\n"
  expect(() => parseDockerfile(text, "docker/web.Dockerfile")).toThrow(
    [
      "docker/web.Dockerfile:3: unknown flag: --bad",
      "   1 |     FROM a",
      "   2 |     ENV x=y",
      "   3 | >>> RUN --bad=1 make && \\",
      "   4 | >>>   # why",
      "   5 | >>>   make install",
      "   6 |     CMD x",
    ].join("\n"),
  )
})

test("control characters of the file do not reach the terminal through an error", () => {
  try {
    parseDockerfile("FROM a\nBAD \x1b[31mred\x9b")
    expect.unreachable()
  } catch (error) {
    expect((error as Error).message).not.toMatch(/(?![\t\n])\p{Cc}/u)
  }
})

describe("lines", () => {
  test("are continued past comments and blank lines, which are noted", () => {
    const file = parseDockerfile("FROM a\nRUN a \\\n # comment\n\n  b \\  \n\tc\nRUN d \\\\\nRUN e")
    expect(file.stages[0]?.instructions.map(({ code, source }) => [code, source.start, source.end])).toEqual([
      ["RUN a   b \tc", 2, 6],
      ["RUN d \\\\", 7, 7],
      ["RUN e", 8, 8],
    ])
    expect(file.emptyContinuations).toEqual([{ start: 6, end: 6 }])
  })

  test("may end with carriage returns, and the last with nothing or a continuation", () => {
    expect(instructions("RUN a \\\r\n  b\r\nRUN c\r").map(({ code }) => code)).toEqual(["RUN a   b", "RUN c"])
    expect(instructions("RUN a \\").map(({ code }) => code)).toEqual(["RUN a"])
    expect(instructions("RUN a \\\n").map(({ code }) => code)).toEqual(["RUN a"])
  })

  test("continue by a backtick where # escape says so, and keep backslashes", () => {
    const file = parseDockerfile("# Escape = `\nFROM a\nRUN dir c:\\ `\n  x\nENV A=b`\nc")
    expect(file.escape).toBe("`")
    expect(file.stages[0]?.instructions.map(({ code }) => code)).toEqual(["RUN dir c:\\   x", "ENV A=bc"])
  })

  test("directives count only at the head", () => {
    expect(parseDockerfile("# a comment\n# escape=`\nFROM a").escape).toBe("\\")
    expect(parseDockerfile("\uFEFF# syntax=docker/dockerfile:1\n# escape=`\nFROM a").escape).toBe("`")
    expect(parseDockerfile("FROM a\n# syntax=evil/x").syntax).toBeUndefined()
    expect(parseDockerfile("# check=skip=A, B;error=true\nFROM a").check).toEqual({
      skip: ["A", "B"],
      experimental: [],
      error: true,
    })
    expect(parseDockerfile("# check=skip=all\nFROM a").check).toEqual({ skip: "all", experimental: [], error: false })
  })

  test("comments right above belong to an instruction", () => {
    const file = parseDockerfile("# far\n\n# near\n# nearer\nFROM a AS b\nRUN x")
    expect(file.stages[0]?.comments).toEqual(["near", "nearer"])
    expect(file.stages[0]?.instructions[0]?.comments).toEqual([])
  })
})

const documents = (text: string) => instructions(text).map((one) => ("documents" in one ? one.documents : []))

describe("here-documents", () => {
  test("of RUN, quoted and not, several in a line, with leading tabs", () => {
    expect(documents(`RUN <<EOF\na $b\n\nEOF\nRUN x <<-'A' 3<<"B C"\n\ty\n\tA\nz\nB C\nRUN z`)).toEqual([
      [{ name: "EOF", expand: true, chomp: false, content: "a $b\n\n" }],
      [
        { name: "A", expand: false, chomp: true, content: "\ty\n" },
        { name: "B C", expand: false, chomp: false, content: "z\n" },
      ],
      [],
    ])
  })

  test("may have blanks before their name, but not after a dash", () => {
    expect(documents("RUN << A cat 3<<  'B C'\na\nA\nb\nB C\nRUN x <<- y")).toMatchObject([
      [
        { name: "A", content: "a\n" },
        { name: "B C", content: "b\n", expand: false },
      ],
      [],
    ])
  })

  test("of COPY and ADD lose the tabs that <<- takes off", () => {
    expect(instructions("COPY <<-a <<b x /d/\n\t\tone\n\ta\ntwo\nb\n")).toMatchObject([
      {
        sources: ["x"],
        target: "/d/",
        documents: [
          { name: "a", content: "one\n" },
          { name: "b", content: "two\n" },
        ],
      },
    ])
  })

  test("keep carriage returns of their lines, and end at a line that has one", () => {
    expect(documents("RUN <<EOF\r\na\r\nEOF\r\n")).toEqual([
      [{ name: "EOF", expand: true, chomp: false, content: "a\r\n" }],
    ])
  })

  test("hide instructions and comments in them", () => {
    expect(instructions("RUN <<EOF\nFROM x\n# no comment\nEOF\nRUN y")).toHaveLength(2)
  })

  test.each([
    "RUN echo '<<EOF'",
    'RUN ["cat", "<<EOF"]',
    "RUN echo $((1<<3))",
    "RUN cat <<< x",
    "CMD cat <<EOF",
    "RUN it's <<EOF",
  ])("%s begins none", (line) => expect(instructions(`${line}\nRUN next`)).toHaveLength(2))

  test("are part of a trigger", () => {
    const [onbuild] = instructions("ONBUILD RUN <<EOF\nhi\nEOF")
    expect(onbuild).toMatchObject({ trigger: "RUN <<EOF\nhi\nEOF" })
    const trigger = parseTrigger({ name: "Dockerfile", text: "FROM x" }, { start: 1, end: 1 }, "RUN <<EOF\nhi\nEOF")
    expect(trigger).toMatchObject({ kind: "run", source: { start: 1, end: 1 }, documents: [{ content: "hi\n" }] })
  })
})

test("a trigger that is no single instruction is an error about the FROM line", () => {
  const file = { name: "Dockerfile", text: "ARG x\nFROM base\n" }
  for (const trigger of ["RUN a\nRUN b", "FROM x", "NOPE", ""])
    expect(() => parseTrigger(file, { start: 2, end: 2 }, trigger)).toThrow("Dockerfile:2: the base image's ONBUILD")
})

test("stages have bases, names in lower case, platforms", () => {
  const file = parseDockerfile("ARG V=1\nFROM --platform=$P a:$V As Build\nRUN x\nfrom build\nFROM c@sha256:x AS d")
  expect(file.args).toMatchObject([{ args: [{ key: "V", value: "1" }] }])
  expect(file.stages).toMatchObject([
    {
      base: "a:$V",
      name: "build",
      platform: "$P",
      written: { from: "FROM", as: "As", name: "Build" },
      source: { start: 2, end: 2 },
    },
    { base: "build", written: { from: "from" } },
    { base: "c@sha256:x", name: "d" },
  ])
})

test("any text either parses or is refused with a SkiffError", () => {
  const word = fc.constantFrom(
    ..."FROM RUN COPY ADD ENV ARG ONBUILD HEALTHCHECK CMD <<EOF EOF <<-'A' A \\ \n # -- --from= = [\"a\"] [ $x ${ ' \" scratch \t \r\n `".split(
      " ",
    ),
  )
  fc.assert(
    fc.property(fc.array(word, { maxLength: 25 }), (words) => {
      try {
        parseDockerfile(`FROM a\n${words.join(" ")}`)
      } catch (error) {
        expect(error).toMatchObject({ code: expect.stringMatching(/InvalidArgument|Unsupported/) })
      }
    }),
    { numRuns: 500 },
  )
})

test.each([
  ["carriage returns", `FROM a\nRUN x${"\r".repeat(200_000)}y`],
  ["spaces of a directive", `# check=${" ".repeat(200_000)}x=y\nFROM a`],
  ["spaces in check options", `# check=skip=${`a${" ".repeat(100_000)}`.repeat(2)}b\nFROM a`],
  ["commas of a mount", `FROM a\nRUN --mount=${",".repeat(200_000)} x`],
  ["backslashes", `FROM a\nRUN ${"\\ ".repeat(200_000)}x`],
  ["quotes", `FROM a\nENV a=${"'\"".repeat(100_000)}`],
  ["dollars and braces", `FROM a\nRUN <<${"${x:-".repeat(100_000)}`],
  ["ONBUILDs", `FROM a\nRUN <<a\na\n${"ONBUILD ".repeat(50_000)}`],
  ["flags", `FROM a\nRUN ${"--x ".repeat(100_000)}`],
  ["lines to continue", `FROM a\nRUN x${" \\\n".repeat(200_000)}`],
  ["here-documents", `FROM a\nRUN ${"<<E ".repeat(5_000)}\n${"E\n".repeat(5_000)}`],
])("many %s take little time", (_, text) => {
  const started = cpuMs()
  try {
    parseDockerfile(text)
  } catch (error) {
    expect(error).toMatchObject({ code: "InvalidArgument" })
  }
  expect(cpuMs() - started).toBeLessThan(10_000)
})
