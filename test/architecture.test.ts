/**
 * Pins the import rule of the architecture (ARCHITECTURE.md): a directory imports only from directories above it, another domain only by
 * its contract `src/<domain>/<domain>.ts`, `engine/` alone chooses implementations, only front ends know `engine/`.
 */
import { expect, test } from "bun:test"
import { readdirSync, readFileSync, statSync } from "node:fs"
import { dirname, join, normalize, relative } from "node:path"
import { TABLE } from "../src/cli/table.ts"

const root = normalize(join(import.meta.dir, "..", "src"))

// from the ground up; a directory sees those before it
const order = [
  "base spec sys archive content snapshot event registry image sbom runtime network volume sandbox container dockerfile build",
  "builder explore scan compose kube docker doctor engine supervisor api cri web tui cli",
].flatMap((line) => line.split(" "))
const foundations = new Set(["base", "spec", "sys", "archive", "dockerfile", "docker"])
// they put domains together, or look at the parts of all
const roots = new Set(["engine", "doctor", "main"])
// builder/ is build/ step by step: it stands on the same executor
const partners: Record<string, string> = { builder: "build" }
const frontEnds = new Set(["supervisor", "api", "cri", "web", "tui", "cli"])

interface Import {
  from: string
  /** As written. */
  path: string
  /** Below src, when it is relative. */
  to: string
  dynamic: boolean
}

const files = readdirSync(root, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .toSorted()
const isTest = (file: string) => /\.(test|suite)\.ts$/.test(file)
const directoryOf = (file: string) => (file.includes("/") ? (file.split("/")[0] ?? "") : "main")
// the engine's contract is in engine.ts; front ends open it by open.ts
const isContract = (file: string) =>
  file === `${directoryOf(file)}/${directoryOf(file)}.ts` || file === "engine/open.ts"

function importsOf(file: string): Import[] {
  const text = withoutComments(readFileSync(join(root, file), "utf8"))
  const found: Import[] = []
  for (const match of text.matchAll(/(?:\bfrom|\bimport)\s*(\()?\s*["']([^"']+)["']/g)) {
    const path = match[2] ?? ""
    const to = path.startsWith(".") ? relative(root, normalize(join(root, dirname(file), path))) : path
    found.push({ from: file, path, to, dynamic: match[1] !== undefined })
  }
  return found
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "")
}

const imports = files.filter((file) => !isTest(file)).flatMap(importsOf)
const inside = imports.filter(({ to }) => files.includes(to))
const show = (broken: Import[]) => broken.map(({ from, to }) => `${from} -> ${to}`)

test("every directory of src has its place in the architecture", () => {
  const directories = readdirSync(root).filter((name) => statSync(join(root, name)).isDirectory())
  expect(directories.filter((name) => !order.includes(name))).toEqual([])
})

test("every relative import names a .ts file of src; the version alone comes from package.json", () => {
  const broken = imports.filter(
    ({ from, to, path }) => path.startsWith(".") && !files.includes(to) && from !== "base/version.ts",
  )
  expect(show(broken)).toEqual([])
})

test("a directory imports only from directories above it", () => {
  const broken = inside.filter(
    ({ from, to }) => directoryOf(from) !== "main" && order.indexOf(directoryOf(to)) > order.indexOf(directoryOf(from)),
  )
  expect(show(broken)).toEqual([])
})

test("another domain is imported only by its contract", () => {
  const broken = inside.filter(
    ({ from, to }) =>
      directoryOf(from) !== directoryOf(to) &&
      !foundations.has(directoryOf(to)) &&
      !roots.has(directoryOf(from)) &&
      partners[directoryOf(from)] !== directoryOf(to) &&
      !isContract(to),
  )
  expect(show(broken)).toEqual([])
})

test("only front ends know the engine", () => {
  const broken = inside.filter(
    ({ from, to }) =>
      directoryOf(to) === "engine" &&
      !["engine", "main"].includes(directoryOf(from)) &&
      !frontEnds.has(directoryOf(from)),
  )
  expect(show(broken)).toEqual([])
})

test("Bun's own modules and globals stay in sys", () => {
  const broken = files
    .filter((file) => !isTest(file) && directoryOf(file) !== "sys")
    .filter((file) => /\bBun\.[a-z]|["']bun(:|["'])/i.test(withoutComments(readFileSync(join(root, file), "utf8"))))
  expect(broken).toEqual([])
})

test("main and the command table import no command before it is named", () => {
  const broken = inside.filter(
    ({ from, to, dynamic }) => to.startsWith("cli/commands/") && !dynamic && !from.startsWith("cli/commands/"),
  )
  expect(show(broken)).toEqual([])
  expect(show(inside.filter(({ from, dynamic }) => from === "main.ts" && !dynamic))).toEqual([])
})

/** Front ends alone know flags and command lines; these literals only look like them. */
const NO_FRONT_END_TEXT: Record<string, RegExp> = {
  // flags of Dockerfile instructions
  "dockerfile/parse-instruction.ts": /RUN --device|^`--retries /,
  "dockerfile/rules.ts": /FROM --platform|RUN --mount/,
  "build/plan/copy-step.ts": /^`--chown=/,
  "build/plan/run-step.ts": /RUN --(security|network)=/,
  "build/plan/stages.ts": /FROM --platform|--from/,
  "build/execute/foreign-platform.ts": /FROM --platform=/,
  "build/solve/solver.ts": /--link/,
  // command lines of other programs
  "doctor/user.ts": /^`usermod /,
  "network/pasta.ts": /^`(-q|--config-net) /,
  "sys/install-command.ts": /^"pacman /,
  "sys/rootless/pause-process.ts": /^`\necho /,
  // an image's history says by what it was made
  "build/export/squash.ts": /^`skiff build --squash/,
  "image/bootstrap/bootstrap.ts": /^`skiff image bootstrap /,
}

const LITERAL = /"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g

test("no domain knows a flag or a command line of ours", () => {
  const words = new Set(TABLE.flatMap(({ names }) => names.flatMap((name) => name.split(" ")[0] ?? [])))
  const commandLine = new RegExp(`\\bskiff (${[...words].join("|")})\\b`)
  const broken = files
    .filter((file) => !isTest(file) && directoryOf(file) !== "cli")
    .flatMap((file) =>
      (withoutComments(readFileSync(join(root, file), "utf8")).match(LITERAL) ?? [])
        .filter((text) => (/(^["`]|[\s(])--[a-z]/.test(text) && /\s/.test(text)) || commandLine.test(text))
        // a word of a program's arguments, with a value put in
        .filter((text) => !/^`--[a-z-]+=\$\{[^}]*\}`$/.test(text))
        .filter((text) => !NO_FRONT_END_TEXT[file]?.test(text))
        .map((text) => `${file}: ${text}`),
    )
  expect(broken).toEqual([])
})

test("no error of a domain knows an exit code: what a program ended with is data", () => {
  const inAnError =
    /new (SkiffError|[A-Z]\w+(Argument|Found|Exists|Precondition|Denied|able|ported|Loss))\((?:(?!\n\n)[^])*?\bexitCode:/
  const broken = files
    .filter((file) => !isTest(file) && directoryOf(file) !== "cli")
    .filter((file) => inAnError.test(withoutComments(readFileSync(join(root, file), "utf8"))))
  expect(broken).toEqual([])
})
