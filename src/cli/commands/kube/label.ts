import { keyChangeCommand } from "../../kube/key-change-command.ts"

export default keyChangeCommand({
  noun: "label",
  field: "labels",
  words: { set: "labeled", taken: "unlabeled", left: "not labeled" },
})
