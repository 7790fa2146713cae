import { pauseCommand } from "../../../kube/pause-command.ts"

export default pauseCommand("resume", "Resume a paused resource")
