import { scanCommand } from "../../scan/scan-command.ts"

export default scanCommand("image", "Scan an image, as Trivy's command of that name")
