import { applyObject, textAt, titleOf, type Applied, type ResourceKind } from "../../../kube/kube.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag } from "../../flag.ts"
import { asServerError, kubeCommand } from "../../kube/kube-command.ts"
import {
  DRY_RUN,
  dryRunSuffix,
  FIELD_MANAGER,
  FILE_FLAGS,
  OUTPUT_FLAGS,
  PLACE_FLAGS,
  SELECT_FLAGS,
  VALIDATE,
} from "../../kube/kube-flags.ts"
import { openClient } from "../../kube/open-client.ts"
import { listOf, printObject } from "../../kube/print.ts"
import { prune } from "../../kube/prune.ts"
import { readSources } from "../../kube/sources.ts"

export default kubeCommand({
  summary: "Apply a configuration to a resource by file name or stdin",
  args: [],
  flags: {
    ...PLACE_FLAGS,
    ...FILE_FLAGS,
    ...DRY_RUN,
    ...VALIDATE,
    ...OUTPUT_FLAGS,
    selector: SELECT_FLAGS.selector,
    serverSide: flag.bool("If true, apply runs in the server instead of the client"),
    forceConflicts: flag.bool("If true, server-side apply will force the changes against conflicts"),
    ...FIELD_MANAGER,
    force: flag.bool("If true, delete and recreate what cannot be changed in place"),
    overwrite: flag.bool("Resolve conflicts between the modified and live configuration by the modified one", {
      initial: true,
    }),
    prune: flag.bool("Delete resource objects that do not appear in the configs and were applied before"),
    pruneAllowlist: flag.strings("Overwrite the default allowlist with <group/version/kind> for --prune", "strings"),
    all: flag.bool("Select all resources in the namespace of the specified resource types, for --prune"),
    wait: flag.bool("If true, wait for resources to be gone before returning, for --prune"),
    cascade: flag.string("Must be background, orphan, or foreground: how what is pruned goes", "string", {}),
    gracePeriod: flag.int("Period of time in seconds given to what is pruned to end"),
    timeout: flag.duration("The length of time to wait before giving up on a delete"),
  },
  async run({ flags, engine, out, report }) {
    if (flags.forceConflicts && !flags.serverSide)
      throw new UsageError("--force-conflicts only works with --server-side")
    if (flags.dryRun === "client" && flags.serverSide)
      throw new UsageError("--dry-run=client doesn't work with --server-side (did you mean --dry-run=server instead?)")
    if (flags.prune && !flags.all && flags.selector === undefined)
      throw new UsageError(
        "all resources selected for prune without explicitly passing --all. To prune all resources, pass the --all flag. If you did not mean to prune all resources, specify a label selector",
      )
    const client = await openClient(engine, flags)
    const manifests = await readSources(flags)
    const applied: Applied[] = []
    let code = 0
    const isDry = flags.dryRun !== "none"
    const suffix = dryRunSuffix(flags.dryRun)
    for (const { object, source } of manifests)
      try {
        const one = await applyObject(client, object, {
          namespace: flags.namespace,
          serverSide: flags.serverSide,
          forceConflicts: flags.forceConflicts,
          force: flags.force,
          dryRun: isDry,
          fieldManager: flags.fieldManager,
          fieldValidation: flags.validate,
        })
        applied.push(one)
        for (const warning of client.warnings.splice(0)) out.note(`Warning: ${warning}`)
        if (one.lacksAnnotation === true && !isDry)
          out.note(
            `Warning: resource ${one.kind.plural}/${textAt(one.object, "metadata", "name")} is missing the kubectl.kubernetes.io/last-applied-configuration annotation which is required by kubectl apply. kubectl apply should only be used on resources created declaratively by either kubectl create --save-config or kubectl apply. The missing annotation will be patched automatically.`,
          )
        if (flags.output === undefined) out.line(`${title(one)} ${one.outcome}${suffix}`)
        // what the definition makes is known to the next
        if (one.kind.kind === "CustomResourceDefinition") client.forgetKinds()
      } catch (error) {
        const doing = `error when ${flags.serverSide ? "applying" : "creating"} "${source}": `
        code = await report(
          asServerError(
            error,
            isUnknown(error)
              ? `resource mapping not found for name: "${textAt(object, "metadata", "name")}" namespace: "${textAt(object, "metadata", "namespace")}" from "${source}": `
              : doing,
          ),
        )
      }
    if (flags.output !== undefined) {
      const objects = applied.map((one) => one.object)
      const [only] = objects
      const titles = applied.map(title)
      await printObject(out, objects.length === 1 && only ? only : listOf(objects), titles, flags)
    }
    if (flags.prune && code === 0) await prune(client, out, applied, { ...flags, suffix, isDry })
    return code
  },
})

function title({ kind, object }: { kind: ResourceKind; object: Applied["object"] }): string {
  return titleOf(kind, textAt(object, "metadata", "name"))
}

function isUnknown(error: unknown): boolean {
  return (error as { data?: { isUnknownKind?: unknown } }).data?.isUnknownKind === true
}
