import { FailedPrecondition, InvalidArgument, PermissionDenied } from "../../base/errors.ts"
import type { InstructionOf } from "../../dockerfile/dockerfile.ts"
import { parseHereDocument, withoutLeadingTabs } from "../../dockerfile/here-document.ts"
import { parseRunMount } from "../../dockerfile/run-mount.ts"
import type { RunOperation, Vertex } from "./definition.ts"
import { contextVertex } from "./context-vertex.ts"
import { planMount } from "./run-mount.ts"
import type { OpenStage, PlanScope, Step, StageState } from "./stage-state.ts"
import { shownInstruction, stepName } from "./vertex-name.ts"
import { Inputs } from "./vertices.ts"

type Run = InstructionOf<"run">

/** RUN: a vertex, and a line of history that names the arguments in force. */
export function planRun(
  stage: OpenStage,
  run: Run,
  step: Step,
  scope: PlanScope,
  expandValue: (value: string) => string,
): void {
  const inputs = new Inputs(stage.root)
  const flags = run.mounts.map((mount) => parseRunMount(mount, expandValue))
  const context = () => inputs.add(contextVertex("context", scope))
  const cacheSpace = scope.given.get("BUILDKIT_CACHE_MOUNT_NS")
  const mounts = flags.map((flag, index) => {
    const from = step.sources[index]
    const input = from && (() => inputs.add(rootOf(from)))
    return planMount(flag, { directory: stage.directory, context, input, cacheSpace })
  })
  const { words, summary, script } = commandOf(run)
  if (script !== undefined) {
    const from = inputs.add(inlineVertex(stage, scope, { [script.name]: script.content }, 0o755))
    mounts.push({ type: "bind", target: "/dev/pipes", from, source: "/", writable: false })
  }
  const argv = run.command.shell ? [...shellOf(stage), words.join(" ")] : [...words]
  if (argv.length === 0) throw new InvalidArgument("RUN requires at least one argument")
  checkGrants(run, scope)

  const shown = new Map(stage.variables)
  for (const { env } of flags) if (env !== undefined) shown.set(env, "****")
  const text = shownInstruction(run.code + summary, shown, {
    escape: scope.dockerfile.escape,
    rawQuotes: true,
    keepUnset: true,
  })
  const operation: RunOperation = {
    kind: "run",
    argv,
    env: [...stage.variables].map(([key, value]) => `${key}=${value}`),
    cwd: stage.directory,
    user: stage.image.config.User ?? "",
    mounts,
    network: run.network ?? scope.network,
    security: run.security,
  }
  stage.root = scope.vertices.make({
    operation,
    inputs: inputs.list,
    name: stepName(stage, scope, text, step.triggered),
    source: run.source,
    ignoreCache: stage.ignoreCache,
    platform: stage.platform,
  })
  stage.image.commit(`RUN ${historyCommand(stage, argv)} # buildkit`, scope.epoch, stage.root)
}

/** The shell form's shell: SHELL, or what docker takes on Linux. */
export function shellOf({ image }: OpenStage): readonly string[] {
  return image.config.Shell?.length ? image.config.Shell : ["/bin/sh", "-c"]
}

interface Command {
  words: readonly string[]
  /** For the vertex's name: ` (first line...)`. */
  summary: string
  /** A here-document with its own interpreter: a file. */
  script?: { name: string; content: string }
}

/**
 * Here-documents of RUN: one that is the whole command is the shell's text, or with `#!` a program of its own; any other
 * form is put together again and left to the shell.
 */
function commandOf({ command: { words, shell }, documents }: Run): Command {
  const [document] = documents
  if (document === undefined) return { words, summary: "" }
  const [word = ""] = words
  if (words.length !== 1 || !shell) throw new InvalidArgument("a here-document needs the shell form of RUN")
  if (parseHereDocument(word) === undefined)
    return { words: [word + documents.map(({ name, content }) => `\n${content}${name}`).join("")], summary: "" }
  const { name } = document
  const content = document.chomp ? withoutLeadingTabs(document.content) : document.content
  const [first = "", ...others] = document.content.trim().split(/\r?\n/)
  const summary = ` (${first}${others.length > 0 ? "..." : ""})`
  // buildkit looks before it takes the tabs of <<- off
  if (!document.content.startsWith("#!")) return { words: [content], summary }
  if (name === "." || name === ".." || /[/\0]/.test(name))
    throw new InvalidArgument(`a here-document called ${JSON.stringify(name)} cannot be a file`)
  return { words: [`/dev/pipes/${name}`], summary, script: { name, content } }
}

// |2 A=b C=d /bin/sh -c …: each ARG once, with the value that RUN sees
function historyCommand({ args, variables }: OpenStage, argv: readonly string[]): string {
  const values = new Map(args.map(({ key, value }) => [key, variables.get(key) ?? value ?? ""]))
  const shown = [...values].map(([key, value]) => `${key}=${value}`)
  return [...(shown.length === 0 ? [] : [`|${shown.length}`, ...shown]), ...argv].join(" ")
}

function checkGrants({ network, security }: Run, { allow }: PlanScope): void {
  if (security === "insecure" && !allow.includes("security.insecure"))
    throw new PermissionDenied("security.insecure is not allowed: RUN --security=insecure", {
      hint: { do: "set", field: "entitlements", value: "security.insecure" },
    })
  if (network === "host" && !allow.includes("network.host"))
    throw new PermissionDenied("network.host is not allowed: RUN --network=host", {
      hint: { do: "set", field: "entitlements", value: "network.host" },
    })
}

/** What stands in a stage that another reads. Throws FailedPrecondition when it is only planned later. */
export function rootOf(stage: StageState): Vertex {
  if (!stage.done || stage.root === undefined)
    throw new FailedPrecondition(
      `cannot copy from stage ${JSON.stringify(stage.stage?.name ?? stage.base)}, it needs to be defined before`,
      { hint: "move that stage before this one" },
    )
  return stage.root
}

/** The files of here-documents. */
export function inlineVertex(
  stage: OpenStage,
  { vertices }: PlanScope,
  files: Record<string, string>,
  mode: number,
): Vertex {
  return vertices.make({
    operation: { kind: "inline", files, mode },
    inputs: [],
    name: "[internal] preparing inline document",
    ignoreCache: false,
    platform: stage.platform,
  })
}
