import { isSkiffError } from "../../../base/errors.ts"
import { titleOf } from "../../../kube/kube.ts"
import { arg } from "../../args.ts"
import { flag } from "../../flag.ts"
import { kubeCommand } from "../../kube/kube-command.ts"
import { PLACE_FLAGS } from "../../kube/kube-flags.ts"
import { openClient } from "../../kube/open-client.ts"
import { stackObjects } from "../../stack/stack-objects.ts"

export default kubeCommand({
  summary: "Delete the objects of stacks; volumes stay, and their namespace with them",
  args: [arg.some("STACK")],
  flags: {
    ...PLACE_FLAGS,
    volumes: flag.bool("Delete their volumes, too"),
    detach: flag.bool("Taken for docker's sake: nothing is waited for", { short: "d" }),
  },
  async run({ args: [stacks], flags, engine, out }) {
    const client = await openClient(engine, flags)
    for (const stack of stacks) {
      const found = await stackObjects(client, { stack, namespace: flags.namespace })
      const kept = found.filter(({ kind }) => kind.kind === "PersistentVolumeClaim" && !flags.volumes)
      const namespaces = await stackObjects(client, { stack, words: ["namespaces"] })
      // a namespace takes all with it that is in it
      const going = [
        ...found.filter((one) => !kept.includes(one)),
        ...namespaces.filter(
          ({ name }) => (flags.namespace ?? name) === name && !kept.some(({ namespace }) => namespace === name),
        ),
      ]
      // docker's words, and its exit code
      if (found.length + namespaces.length === 0) out.note(`Nothing found in stack: ${stack}`)
      for (const { kind, name, namespace } of going)
        try {
          await client.delete(kind, name, namespace || undefined, { propagationPolicy: "Background" })
          out.line(`${titleOf(kind, name)} deleted`)
        } catch (error) {
          if (!isSkiffError(error, "NotFound")) throw error
        }
      for (const { kind, name, namespace } of kept)
        out.note(`${titleOf(kind, name)} in ${namespace} stays, with its data`)
    }
  },
})
