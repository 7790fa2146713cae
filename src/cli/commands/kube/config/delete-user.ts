import { deleteEntryCommand } from "../../../kube/config-entries.ts"

export default deleteEntryCommand("user")
