import { roleCommand } from "../../../kube/rbac-commands.ts"

export default roleCommand("Role", "Create a role")
