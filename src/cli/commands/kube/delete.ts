import { deletedTitle, readResourceArgs, textAt, titleOf, type KubeClient } from "../../../kube/kube.ts"
import { isSkiffError, Unavailable } from "../../../base/errors.ts"
import { arg } from "../../args.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag } from "../../flag.ts"
import { kubeCommand } from "../../kube/kube-command.ts"
import { ALL_NAMESPACES, DRY_RUN, dryRunSuffix, FILE_FLAGS, PLACE_FLAGS, SELECT_FLAGS } from "../../kube/kube-flags.ts"
import { namespaceOf, openClient } from "../../kube/open-client.ts"
import { propagation } from "../../kube/prune.ts"
import { namesFiles, sourceTargets, type SourceTarget } from "../../kube/sources.ts"

const POLL_MS = 50

export default kubeCommand({
  summary: "Delete resources by file names, stdin, resources and names, or by resources and label selector",
  args: [arg.rest("[TYPE [NAME...]] | [TYPE/NAME...]")],
  flags: {
    ...PLACE_FLAGS,
    allNamespaces: ALL_NAMESPACES,
    ...FILE_FLAGS,
    ...SELECT_FLAGS,
    ...DRY_RUN,
    all: flag.bool("Delete all resources, in the namespace of the specified resource types"),
    cascade: {
      ...flag.choice(
        ["background", "orphan", "foreground"],
        "What becomes of what the object owns: background, orphan or foreground",
        { initial: "background" },
      ),
      bare: "background",
    },
    force: flag.bool("If true, immediately remove resources from API and bypass graceful deletion"),
    gracePeriod: flag.int("Period of time in seconds given to the resource to terminate gracefully"),
    ignoreNotFound: flag.bool('Treat "resource not found" as a successful delete'),
    now: flag.bool("If true, resources are signaled for immediate shutdown (same as --grace-period=1)"),
    output: flag.choice(["name"], 'Output mode. Use "-o name" for shorter output (resource/name)', { short: "o" }),
    timeout: flag.duration(
      "The length of time to wait before giving up on a delete, zero means determine a timeout from the size of the object",
    ),
    wait: flag.bool("If true, wait for resources to be gone before returning", { initial: true }),
    interactive: flag.bool("Delete resource only when user confirms", { short: "i" }),
  },
  async run({ args: [words], flags, engine, out }) {
    const client = await openClient(engine, flags)
    const targets = await targetsOf(client, words, flags)
    if (flags.now && flags.gracePeriod !== undefined)
      throw new UsageError("--now and --grace-period cannot be specified together")
    const gracePeriodSeconds = flags.now ? 1 : flags.force ? (flags.gracePeriod ?? 0) : flags.gracePeriod
    if (flags.force && gracePeriodSeconds === 0)
      out.note(
        "Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. The resource may continue to run on the cluster indefinitely.",
      )
    const isDry = flags.dryRun !== "none"
    const suffix = dryRunSuffix(flags.dryRun)
    const going: Target[] = []
    if (flags.interactive) {
      const { asker } = await import("../../confirm.ts")
      out.note(
        `You are about to delete the following ${targets.length} resource(s):\n${targets.map(({ kind, name }) => titleOf(kind, name)).join("\n")}`,
      )
      if (!(await asker(out)("Do you want to continue?"))) return
    }
    for (const target of targets) {
      const { kind, name, namespace } = target
      try {
        const answer = await client.delete(kind, name, namespace, {
          dryRun: isDry,
          gracePeriodSeconds,
          propagationPolicy: propagation(flags.cascade),
        })
        const uid = textAt(answer, "metadata", "uid") || textAt(answer, "details", "uid")
        if (textAt(answer, "kind") !== "Status") going.push({ ...target, uid })
      } catch (error) {
        if (flags.ignoreNotFound && isSkiffError(error, "NotFound")) continue
        throw error
      }
      const where = namespace === undefined ? "" : ` from ${namespace} namespace`
      const verb = flags.force && gracePeriodSeconds === 0 ? "force deleted" : "deleted"
      out.line(flags.output === "name" ? titleOf(kind, name) : `${deletedTitle(kind, name)} ${verb}${where}${suffix}`)
    }
    if (targets.length === 0) out.note("No resources found")
    if (flags.wait && !isDry) await untilGone(client, going, flags.timeout)
  },
})

interface Target extends SourceTarget {
  uid?: string
}

async function targetsOf(
  client: KubeClient,
  words: readonly string[],
  flags: {
    filename: readonly string[]
    kustomize?: string | undefined
    recursive: boolean
    namespace?: string | undefined
    allNamespaces: boolean
    all: boolean
    selector?: string | undefined
    fieldSelector?: string | undefined
  },
): Promise<Target[]> {
  if (namesFiles(flags)) return Array.fromAsync(sourceTargets(client, flags))
  if (words.length === 0) throw new UsageError("You must provide one or more resources by argument or filename.")
  const place = namespaceOf(client, flags)
  const found: Target[] = []
  for (const { kind, name } of await readResourceArgs(client, words)) {
    const namespace = kind.namespaced ? place : undefined
    if (name !== undefined) {
      if (kind.namespaced && flags.allNamespaces)
        throw new UsageError("a resource cannot be retrieved by name across all namespaces")
      found.push({ kind, name, namespace })
      continue
    }
    if (!flags.all && flags.selector === undefined && flags.fieldSelector === undefined)
      throw new UsageError("resource(s) were provided, but no name was specified")
    const { items } = await client.list(kind, {
      namespace,
      labelSelector: flags.selector,
      fieldSelector: flags.fieldSelector,
    })
    for (const object of items)
      found.push({
        kind,
        name: textAt(object, "metadata", "name"),
        namespace: textAt(object, "metadata", "namespace") || undefined,
      })
  }
  return found
}

/** Until none of these very objects is there. */
async function untilGone(client: KubeClient, targets: readonly Target[], timeoutMs: number | undefined): Promise<void> {
  const end = timeoutMs === undefined || timeoutMs === 0 ? Infinity : Date.now() + timeoutMs
  for (const { kind, name, namespace, uid } of targets)
    for (;;) {
      const object = await client.find(kind, name, namespace)
      if (object === undefined || (uid !== "" && textAt(object, "metadata", "uid") !== uid)) break
      if (Date.now() > end) throw new Unavailable(`timed out waiting for the condition on ${kind.plural}/${name}`)
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
}
