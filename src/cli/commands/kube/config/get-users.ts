import { entryNamesCommand } from "../../../kube/config-entries.ts"

export default entryNamesCommand("user")
