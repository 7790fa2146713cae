import { OCI_RUNTIMES } from "../lab.suite.ts"
import { runtimeSuite } from "../runtime.suite.ts"

for (const name of OCI_RUNTIMES) runtimeSuite(name)
