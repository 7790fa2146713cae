import { join } from "node:path"
import { mkdirSync } from "node:fs"
import { atomicWrite } from "../../../base/atomic-write.ts"
import { FailedPrecondition } from "../../../base/errors.ts"
import { applyObject, textAt, titleOf, type Tree } from "../../../kube/kube.ts"
import { writeYaml } from "../../../spec/write-yaml.ts"
import { arg } from "../../args.ts"
import { convertOptions, fileNameOf, KUBE_FLAGS } from "../../compose/kube-flags.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag } from "../../flag.ts"
import { kubeCommand } from "../../kube/kube-command.ts"
import { PLACE_FLAGS } from "../../kube/kube-flags.ts"
import { openClient } from "../../kube/open-client.ts"
import { labelled, stackObjects, stackProject } from "../../stack/stack-objects.ts"

export default kubeCommand({
  summary: "Turn a stack file into Kubernetes objects, and apply them with --apply",
  description:
    "Swarm is retired. Without --apply or --output nothing is deployed: what would be is told, and the exit code is 1.",
  args: [arg.one("STACK")],
  flags: {
    ...KUBE_FLAGS,
    namespace: flag.string("Namespace of all objects (default: named as the stack)", "string", { short: "n" }),
    context: PLACE_FLAGS.context,
    kubeconfig: PLACE_FLAGS.kubeconfig,
    composeFile: flag.strings("Path to a stack file, or - for standard input", "strings", { short: "c" }),
    apply: flag.bool("Apply the objects: on this machine, or on the cluster of --context"),
    output: flag.string("Write the objects: a directory of one file an object, or - for standard output", "string", {
      short: "o",
    }),
    prune: flag.bool("With --apply: delete what the stack had and its file has no longer; volumes stay"),
    detach: flag.bool("Taken for docker's sake: --apply does not wait", { short: "d" }),
    quiet: flag.bool("With --apply: say nothing of what is unchanged", { short: "q" }),
    resolveImage: flag.choice(
      ["always", "changed", "never"],
      "Taken for docker's sake: images are pulled by the cluster",
    ),
    withRegistryAuth: flag.bool("Not sent: a cluster has pull secrets"),
  },
  async run({ args: [stack], flags, engine, out }) {
    if (flags.composeFile.length === 0) throw new UsageError("name the stack file by --compose-file")
    if (flags.apply && flags.output !== undefined) throw new UsageError("--apply and --output exclude each other")
    const namespace = flags.namespace ?? stack
    const project = await stackProject(engine, flags.composeFile, stack)
    const converted = await (await engine.kube()).fromCompose(project, { ...convertOptions(flags), namespace })
    for (const { path, reason } of converted.losses) out.note(`${path} is lost: ${reason}`)
    if (flags.strict && converted.losses.length > 0) return 1
    const objects = labelled(converted.objects, stack, namespace)
    if (flags.output === "-") return out.text(objects.map(writeYaml).join("---\n"))
    if (flags.output !== undefined) {
      const directory = flags.output
      mkdirSync(directory, { recursive: true })
      for (const [index, object] of objects.entries()) {
        // in the order of applying
        const name = `${String(index).padStart(2, "0")}-${fileNameOf(object)}`
        atomicWrite(join(directory, name), writeYaml(object), { mode: object.kind === "Secret" ? 0o600 : 0o644 })
      }
      out.note(`${objects.length} objects in ${directory}: skiff kube apply -f ${directory}`)
      return
    }
    if (!flags.apply) {
      const titles = objects.map(({ kind, metadata }) => `${kind.toLowerCase()}/${metadata.name}`)
      throw new FailedPrecondition(
        `Swarm is retired, and the stack "${stack}" was not deployed; it would be: ${titles.join(", ")}`,
        { hint: "apply it as Kubernetes objects by --apply, or write them by --output DIRECTORY" },
      )
    }
    const client = await openClient(engine, flags)
    const kept = new Set<string>()
    for (const object of objects) {
      // as it would be sent: a key without a value is none
      const sent = JSON.parse(JSON.stringify(object)) as Tree
      const { kind, object: made, outcome } = await applyObject(client, sent, {})
      kept.add(textAt(made, "metadata", "uid"))
      if (!flags.quiet || outcome !== "unchanged") out.line(`${titleOf(kind, object.metadata.name)} ${outcome}`)
    }
    for (const warning of client.warnings.splice(0)) out.note(`Warning: ${warning}`)
    if (!flags.prune) return
    for (const { kind, name, namespace: there, object } of await stackObjects(client, { stack, namespace })) {
      if (kept.has(textAt(object, "metadata", "uid")) || kind.kind === "PersistentVolumeClaim") continue
      await client.delete(kind, name, there, { propagationPolicy: "Background" })
      out.line(`${titleOf(kind, name)} pruned`)
    }
  },
})
