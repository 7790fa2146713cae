import { keyChangeCommand } from "../../kube/key-change-command.ts"

export default keyChangeCommand({
  noun: "annotation",
  field: "annotations",
  words: { set: "annotated", taken: "annotated", left: "not annotated" },
})
