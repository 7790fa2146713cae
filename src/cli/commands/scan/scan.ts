import { scanCommand } from "../../scan/scan-command.ts"

export default scanCommand("any", "Look for vulnerabilities, misconfiguration, secrets and malware, offline")
