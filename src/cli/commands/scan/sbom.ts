import { scanCommand } from "../../scan/scan-command.ts"

export default scanCommand("sbom", "Scan what an SBOM lists, as Trivy's command of that name")
