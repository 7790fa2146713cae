import { roleCommand } from "../../../kube/rbac-commands.ts"

export default roleCommand("ClusterRole", "Create a cluster role")
