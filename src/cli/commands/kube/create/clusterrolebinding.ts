import { clusterRoleBindingCommand } from "../../../kube/rbac-commands.ts"

export default clusterRoleBindingCommand()
