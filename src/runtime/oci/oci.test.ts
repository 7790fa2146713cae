import { runtimeSuite } from "../runtime.suite.ts"

runtimeSuite("crun")
runtimeSuite("runc")
