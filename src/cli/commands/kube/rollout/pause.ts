import { pauseCommand } from "../../../kube/pause-command.ts"

export default pauseCommand("pause", "Mark the provided resource as paused")
