import { scanCommand } from "../../scan/scan-command.ts"

export default scanCommand("directory", "Check files of configuration, as Trivy's command of that name", ["misconfig"])
