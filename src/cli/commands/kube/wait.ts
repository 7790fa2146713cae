import {
  isTree,
  jsonPathValue,
  listAt,
  textAt,
  titleOf,
  type KubeClient,
  type ResourceKind,
} from "../../../kube/kube.ts"
import { isSkiffError, Unavailable } from "../../../base/errors.ts"
import { arg } from "../../args.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag } from "../../flag.ts"
import { chosenObjects } from "../../kube/changed-objects.ts"
import { kubeCommand } from "../../kube/kube-command.ts"
import { ALL_NAMESPACES, FILE_FLAGS, PLACE_FLAGS, SELECT_FLAGS } from "../../kube/kube-flags.ts"
import { openClient } from "../../kube/open-client.ts"

const POLL_MS = 100
const DEFAULT_TIMEOUT_MS = 30_000

export default kubeCommand({
  summary: "Wait for a specific condition on one or many resources",
  args: [arg.rest("(-f FILENAME | TYPE [NAME...] | TYPE/NAME...)")],
  flags: {
    ...PLACE_FLAGS,
    allNamespaces: ALL_NAMESPACES,
    ...FILE_FLAGS,
    ...SELECT_FLAGS,
    all: flag.bool("Select all resources in the namespace of the specified resource types"),
    for: flag.string("The condition to wait on: create, delete, condition=NAME[=VALUE], jsonpath={PATH}[=VALUE]"),
    timeout: flag.duration(
      "The length of time to wait before giving up. Zero means check once and don't wait, negative means wait for a week",
    ),
    output: flag.choice(["name"], "Output format: name", { short: "o" }),
  },
  async run({ args: [words], flags, engine, out }) {
    if (flags.for === undefined)
      throw new UsageError('error: unrecognized condition: ""'.slice(7), {
        hint: "say what for: --for=condition=Ready",
      })
    const condition = readCondition(flags.for)
    const client = await openClient(engine, flags)
    const timeout = flags.timeout ?? DEFAULT_TIMEOUT_MS
    const end = timeout < 0 ? Infinity : Date.now() + timeout
    const targets = await targetsOf(
      client,
      words,
      flags,
      condition.kind === "delete",
      condition.kind === "create" ? end : 0,
    )
    for (const { kind, name, namespace } of targets) {
      for (;;) {
        const object = await client.find(kind, name, namespace)
        if (condition.isMet(object)) break
        if (Date.now() >= end) throw new Unavailable(`timed out waiting for the condition on ${kind.plural}/${name}`)
        await new Promise((resolve) => setTimeout(resolve, POLL_MS))
      }
      out.line(flags.output === "name" ? titleOf(kind, name) : `${titleOf(kind, name)} condition met`)
    }
  },
})

interface Condition {
  kind: "create" | "delete" | "state"
  isMet(object: unknown): boolean
}

function readCondition(text: string): Condition {
  if (text === "create") return { kind: "create", isMet: (object) => object !== undefined }
  if (text === "delete") return { kind: "delete", isMet: (object) => object === undefined }
  const [, name, value = "true"] = /^condition=([^=]+)(?:=(.*))?$/.exec(text) ?? []
  if (name !== undefined)
    return {
      kind: "state",
      isMet: (object) =>
        listAt(object, "status", "conditions").some(
          (one) =>
            textAt(one, "type").toLowerCase() === name.toLowerCase() &&
            textAt(one, "status").toLowerCase() === value.toLowerCase(),
        ),
    }
  const [, path, wanted] = /^jsonpath=\{?([^}]*)\}?(?:=(.*))?$/s.exec(text) ?? []
  if (path === undefined) throw new UsageError(`unrecognized condition: "${text}"`)
  return {
    kind: "state",
    isMet(object) {
      const found = isTree(object) ? jsonPathValue(object, path) : undefined
      return wanted === undefined
        ? found !== undefined && found !== ""
        : String(found) === wanted.replace(/^(['"])(.*)\1$/, "$2")
    },
  }
}

interface Target {
  kind: ResourceKind
  name: string
  namespace: string | undefined
}

async function targetsOf(
  client: KubeClient,
  words: readonly string[],
  flags: Parameters<typeof chosenObjects>[2],
  mayBeGone: boolean,
  until: number,
): Promise<Target[]> {
  for (;;)
    try {
      const chosen = await chosenObjects(client, words, flags)
      if (chosen.length === 0 && !mayBeGone) throw new UsageError("no matching resources found")
      return chosen.map(({ kind, object }) => ({
        kind,
        name: textAt(object, "metadata", "name"),
        namespace: textAt(object, "metadata", "namespace") || undefined,
      }))
    } catch (error) {
      const isGone = isSkiffError(error, "NotFound") && error.data["isUnknownKind"] !== true
      if (isGone && mayBeGone) return []
      if (!isGone || Date.now() >= until) throw error
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
}
