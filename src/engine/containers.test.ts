import { containerSuite } from "../container/container.suite.ts"
import { HOST_RUNTIME, whyNot } from "../runtime/lab.suite.ts"
import { EngineLab } from "./engine-lab.suite.ts"

async function openStore() {
  const lab = await EngineLab.open()
  return {
    containers: await lab.engine.containers(),
    other: await lab.other.containers(),
    image: "busybox",
    [Symbol.asyncDispose]: () => lab[Symbol.asyncDispose](),
  }
}

containerSuite("containers of an engine", openStore, { skip: whyNot(HOST_RUNTIME) })
