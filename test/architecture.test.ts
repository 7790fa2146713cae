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
  "base spec sys archive content snapshot event audit meter registry image manifest artifact sbom runtime network volume secret sandbox container pod explain dockerfile build",
  "builder explore scan advise compose bake kube gitops docker podman doctor engine supervisor api cri apiserver web tui cli",
].flatMap((line) => line.split(" "))
const foundations = new Set(["base", "spec", "sys", "archive", "dockerfile", "docker", "podman"])
// they put domains together, or look at the parts of all
const roots = new Set(["engine", "doctor", "main"])
// builder/ is build/ step by step: it knows the types of its executor, and is handed the values by engine/
const typePartners: Record<string, string> = { builder: "build" }
// the parts of build/, from the ground up; a file directly in build/ that is not named comes after all of them
const buildOrder = [
  "words build.ts plan watch-build.ts build-directory.ts build-directories.ts execute deps.ts",
  "solve build-events.ts attest context export cache verify",
].flatMap((line) => line.split(" "))
const frontEnds = new Set(["supervisor", "api", "cri", "apiserver", "web", "tui", "cli"])

interface Import {
  from: string
  /** As written. */
  path: string
  /** Below src, when it is relative. */
  to: string
  dynamic: boolean
  typesOnly: boolean
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
  for (const match of text.matchAll(
    /(?:\b(?:import|export)\s+(type)\s+[^"';()]*?\bfrom|\bfrom|\bimport)\s*(\()?\s*["']([^"']+)["']/g,
  )) {
    const path = match[3] ?? ""
    const to = path.startsWith(".") ? relative(root, normalize(join(root, dirname(file), path))) : path
    found.push({ from: file, path, to, dynamic: match[2] !== undefined, typesOnly: match[1] !== undefined })
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

test("ARCHITECTURE.md shows the directories of src in the order of their imports", () => {
  const text = readFileSync(join(root, "..", "ARCHITECTURE.md"), "utf8")
  const shown = [...text.matchAll(/^(\w+)\/ /gm)].map(([, name = ""]) => name)
  const directories = new Set(readdirSync(root))
  expect(shown).toEqual(order.filter((name) => directories.has(name)))
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
    ({ from, to, typesOnly }) =>
      directoryOf(from) !== directoryOf(to) &&
      !foundations.has(directoryOf(to)) &&
      !roots.has(directoryOf(from)) &&
      !(typesOnly && typePartners[directoryOf(from)] === directoryOf(to)) &&
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
    .filter((file) =>
      /\bBun\.[a-z]|\b(?:from|import)\b\s*\(?\s*["']bun(:|["'])/.test(
        withoutComments(readFileSync(join(root, file), "utf8")),
      ),
    )
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
  // variables of a style sheet
  "registry/server/page/style.ts": /^`\n:root/,
  // command lines of other programs
  "doctor/user.ts": /^`usermod /,
  "explain/live/namespaces.ts": /^`(unshare|nsenter) /,
  "explain/steps/cgroup-steps.ts": /^`--property=/,
  "explain/steps/mount-steps.ts": /^`inside (touch|test) /,
  "explain/steps/namespace-steps.ts": /^`inside\(\)/,
  "explain/steps/program-step.ts": /^`cd /,
  "explain/steps/root-steps.ts": /^`chmod /,
  "network/pasta.ts": /^`(-q|--config-net) /,
  "sys/install-command.ts": /^"pacman /,
  "sys/rootless/pause-scripts.ts": /^`(\n|exec flock)/,
  // flags of a Dockerfile's instructions, and of the package managers that it calls
  "scan/misconfiguration/dockerfile/check-dockerfile.ts": /^`'(?:COPY --from|--)/,
  "scan/misconfiguration/dockerfile/dockerfile-rules.ts": /COPY --from|RUN --mount|--no-(?:cache|install-recommends)/,
  // an image's history says by what it was made
  "build/export/squash.ts": /^`skiff build --squash/,
  "image/bootstrap/bootstrap.ts": /^`skiff image bootstrap /,
}

const LITERAL = /"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g

/** What `run`, `exec`, `ps` and the same of compose load by name, one after another, whatever their flags. */
const COMMON_ENTRIES = [
  "main.ts cli/run.ts cli/commands/container/run.ts cli/commands/container/exec.ts cli/commands/container/ls.ts engine/open.ts",
  "audit/open.ts content/open.ts event/open.ts image/open.ts meter/open.ts network/open.ts runtime/open.ts snapshot/open.ts",
  "compose/open.ts compose/load/load.ts compose/plan/project-plan.ts compose/plan/image-plan.ts compose/plan/resource-plan.ts",
  "cli/commands/compose/config.ts cli/commands/compose/up.ts cli/commands/compose/ps.ts cli/commands/compose/down.ts compose/run/up.ts compose/run/down.ts",
  "container/open.ts container/records.ts container/life-cycle.ts container/execs.ts container/exec-records.ts image/snapshot-blobs.ts",
].flatMap((line) => line.split(" "))

/** Bun parses its own modules at each start: 3 to 10 ms of processor time each, and 300 to 700 page faults, for these. */
const DEAR_MODULES = new Set("crypto stream stream/promises zlib net tls http https http2 readline".split(" "))

test("what every run, exec and ps loads, and compose's needs no costly module of node", () => {
  const loaded = new Set(COMMON_ENTRIES)
  const next = Map.groupBy(
    inside.filter(({ dynamic, typesOnly }) => !dynamic && !typesOnly),
    ({ from }) => from,
  )
  for (const file of loaded) for (const { to } of next.get(file) ?? []) loaded.add(to)
  expect(COMMON_ENTRIES.filter((file) => !files.includes(file))).toEqual([])
  const dear = imports.filter(
    ({ from, path, dynamic, typesOnly }) =>
      loaded.has(from) && !dynamic && !typesOnly && DEAR_MODULES.has(path.replace("node:", "")),
  )
  expect(show(dear)).toEqual([])
})

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

/** Of a file of build/: the place of its part in `buildOrder`. */
function rank(file: string): number {
  const index = buildOrder.indexOf(file.split("/")[1] ?? "")
  return index === -1 ? buildOrder.length : index
}

test("the parts of build/ import only from those before them", () => {
  const broken = inside.filter(
    ({ from, to }) => directoryOf(from) === "build" && directoryOf(to) === "build" && rank(to) > rank(from),
  )
  expect(show(broken)).toEqual([])
})

// the table names each command by a lazy import, and help speaks of the table
const isLazyCommand = ({ from, to }: Import) => from === "cli/table.ts" && to.startsWith("cli/commands/")

test("no file imports itself by way of others: types and lazy imports count", () => {
  const next = new Map<string, string[]>()
  for (const each of inside)
    if (!isTest(each.to) && !isLazyCommand(each)) next.set(each.from, [...(next.get(each.from) ?? []), each.to])
  expect(circles(next)).toEqual([])
})

/** Sets of files each of which reaches every other (Tarjan's strongly connected components), larger than one. */
function circles(next: ReadonlyMap<string, readonly string[]>): string[][] {
  const number = new Map<string, number>()
  const low = new Map<string, number>()
  const stack: string[] = []
  const found: string[][] = []
  const visit = (file: string): void => {
    number.set(file, number.size)
    low.set(file, number.size - 1)
    stack.push(file)
    for (const to of next.get(file) ?? []) {
      if (!number.has(to)) visit(to)
      if (stack.includes(to)) low.set(file, Math.min(low.get(file) ?? 0, low.get(to) ?? 0))
    }
    if (low.get(file) !== number.get(file)) return
    const circle = stack.splice(stack.indexOf(file))
    if (circle.length > 1) found.push(circle.toSorted())
  }
  for (const file of next.keys()) if (!number.has(file)) visit(file)
  return found
}

test("SQL names tables of its own domain alone", () => {
  const owners = new Map<string, string>()
  for (const file of files.filter((name) => name.endsWith("schema.ts")))
    for (const [, table = ""] of readFileSync(join(root, file), "utf8").matchAll(
      /CREATE TABLE (?:IF NOT EXISTS )?(\w+)/g,
    ))
      owners.set(table, directoryOf(file))
  const used = new RegExp(`\\b(?:FROM|JOIN|INTO|UPDATE|TABLE)\\s+(${[...owners.keys()].join("|")})\\b`, "g")
  const broken = files
    .filter((file) => !isTest(file))
    .flatMap((file) =>
      [...withoutComments(readFileSync(join(root, file), "utf8")).matchAll(used)]
        .filter(([, table = ""]) => owners.get(table) !== directoryOf(file))
        .map(([, table]) => `${file}: ${table}`),
    )
  expect(owners.size).toBeGreaterThan(10)
  expect(broken).toEqual([])
})

test("the working directory and the environment of the process stay as they are", () => {
  // the processes of a step, of a launcher and of the exit command are their own
  const own = new Set(["sys/libc.ts", "sys/process/become.ts", "sys/fs/mount.ts", "runtime/rootless/enter.ts"])
  const broken = files
    .filter((file) => !isTest(file) && !own.has(file) && directoryOf(file) !== "cli" && directoryOf(file) !== "main")
    .filter((file) =>
      /\bchdir\(|process\.env(?:\.\w+|\[[^\]]+\])\s*=[^=]|delete process\.env/.test(
        withoutComments(readFileSync(join(root, file), "utf8")),
      ),
    )
  expect(broken).toEqual([])
})

test("every export of the domains that others stand on says what it is", () => {
  const documented = new Set(["base", "spec", "runtime", "container", "meter", "volume", "secret", "pod", "docker"])
  const broken = files
    .filter((file) => !isTest(file) && documented.has(directoryOf(file)))
    .flatMap((file) => {
      const lines = readFileSync(join(root, file), "utf8").split("\n")
      return lines
        .filter(
          (line, index) =>
            /^export (async )?(function|class|interface|type [A-Z]\w*|const|let)\b/.test(line) &&
            !lines[index - 1]?.trim().endsWith("*/"),
        )
        .map((line) => `${file}: ${line}`)
    })
  expect(broken).toEqual([])
})

test("docker/ is pure: documents are made of values, and nothing is read for them", () => {
  const broken = imports.filter(
    ({ from, path, to }) =>
      directoryOf(from) === "docker" &&
      !["base", "spec", "docker"].includes(directoryOf(to)) &&
      !(path.startsWith(".") && isContract(to)),
  )
  expect(show(broken)).toEqual([])
})
