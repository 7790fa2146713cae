import { scanCommand } from "../../scan/scan-command.ts"

export default scanCommand("directory", "Scan the root of a system, as Trivy's command of that name")
