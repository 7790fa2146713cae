import { scanCommand } from "../../scan/scan-command.ts"

export default scanCommand("directory", "Scan a directory, as Trivy's command of that name")
