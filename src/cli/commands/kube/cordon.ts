import { cordonCommand } from "../../kube/cordon-command.ts"

export default cordonCommand("cordon", "Mark node as unschedulable")
