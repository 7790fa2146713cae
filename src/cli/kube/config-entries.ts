import { isTree, kubeconfigEdits, listAt, readKubeconfig, textAt } from "../../kube/kube.ts"
import { arg } from "../args.ts"
import { command, type Command } from "../command.ts"
import { CONFIG_FLAGS } from "./config-flags.ts"

type EntryNoun = "cluster" | "context" | "user"

/** `kube config get-clusters`, `kube config get-users`: their names, one a line. */
export function entryNamesCommand(noun: EntryNoun): Command {
  return command({
    summary: `Display ${noun}s defined in the kubeconfig`,
    args: [],
    flags: CONFIG_FLAGS,
    async run({ flags, out }) {
      const entries = listAt(await readKubeconfig(flags.kubeconfig), `${noun}s`).filter(isTree)
      out.line("NAME")
      for (const entry of entries) out.line(textAt(entry, "name"))
    },
  })
}

/** `kube config delete-cluster`, `delete-context`, `delete-user`. */
export function deleteEntryCommand(noun: EntryNoun): Command {
  return command({
    summary: `Delete the specified ${noun} from the kubeconfig`,
    args: [arg.one("NAME")],
    flags: CONFIG_FLAGS,
    async run({ args: [name], flags, out }) {
      const { deleteEntry } = await kubeconfigEdits()
      const file = deleteEntry(flags.kubeconfig, `${noun}s`, name)
      out.line(`deleted ${noun} ${name} from ${file}`)
    },
  })
}
