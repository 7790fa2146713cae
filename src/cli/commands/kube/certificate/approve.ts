import { certificateCommand } from "../../../kube/certificate-command.ts"

export default certificateCommand("approve", "Approve a certificate signing request")
