import { cordonCommand } from "../../kube/cordon-command.ts"

export default cordonCommand("uncordon", "Mark node as schedulable")
