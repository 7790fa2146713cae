import { kubeYaml, revisionsOf, textAt, titleOf } from "../../../../kube/kube.ts"
import { NotFound } from "../../../../base/errors.ts"
import { arg } from "../../../args.ts"
import { flag } from "../../../flag.ts"
import { chosenObjects } from "../../../kube/changed-objects.ts"
import { kubeCommand } from "../../../kube/kube-command.ts"
import { FILE_FLAGS, PLACE_FLAGS, SELECT_FLAGS } from "../../../kube/kube-flags.ts"
import { openClient } from "../../../kube/open-client.ts"
import { printRows } from "../../../kube/print.ts"

export default kubeCommand({
  summary: "View rollout history",
  args: [arg.rest("(TYPE NAME | TYPE/NAME)")],
  flags: {
    ...PLACE_FLAGS,
    ...FILE_FLAGS,
    selector: SELECT_FLAGS.selector,
    revision: flag.int("See the details, including podTemplate of the revision specified"),
  },
  async run({ args: [words], flags, engine, out }) {
    const client = await openClient(engine, flags)
    for (const { kind, object } of await chosenObjects(client, words, flags)) {
      const revisions = await revisionsOf(client, kind, object)
      const title = titleOf(kind, textAt(object, "metadata", "name"))
      if (flags.revision === undefined || flags.revision === 0) {
        out.line(title)
        printRows(out, [["REVISION", "CHANGE-CAUSE"], ...revisions.map(({ number, cause }) => [`${number}`, cause])])
        out.line("")
        continue
      }
      const found = revisions.find(({ number }) => number === flags.revision)
      if (found === undefined) throw new NotFound(`unable to find the specified revision: ${flags.revision}`)
      out.line(`${title} with revision #${found.number}`)
      out.text(kubeYaml({ "Pod Template": found.template }))
    }
  },
})
