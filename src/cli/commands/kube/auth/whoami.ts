import { listAt, textAt } from "../../../../kube/kube.ts"
import { flag } from "../../../flag.ts"
import { kubeCommand } from "../../../kube/kube-command.ts"
import { PLACE_FLAGS } from "../../../kube/kube-flags.ts"
import { openClient } from "../../../kube/open-client.ts"
import { printObject, printRows } from "../../../kube/print.ts"

export default kubeCommand({
  summary: "Check self subject attributes: as whom the server knows you",
  args: [],
  flags: { ...PLACE_FLAGS, output: flag.string("Output format. One of: (json, yaml, name)", "string", { short: "o" }) },
  async run({ flags, engine, out }) {
    const client = await openClient(engine, flags)
    const path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    const body = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" }
    const answer = await client.call({ method: "POST", path, body })
    if (flags.output !== undefined) return printObject(out, answer, ["selfsubjectreview.authentication.k8s.io/"], flags)
    printRows(out, [
      ["ATTRIBUTE", "VALUE"],
      ["Username", textAt(answer, "status", "userInfo", "username")],
      ["Groups", `[${listAt(answer, "status", "userInfo", "groups").join(" ")}]`],
    ])
  },
})
