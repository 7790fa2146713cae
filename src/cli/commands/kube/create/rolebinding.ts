import { roleBindingCommand } from "../../../kube/rbac-commands.ts"

export default roleBindingCommand()
