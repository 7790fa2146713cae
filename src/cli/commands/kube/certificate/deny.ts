import { certificateCommand } from "../../../kube/certificate-command.ts"

export default certificateCommand("deny", "Deny a certificate signing request")
