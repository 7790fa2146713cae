import { BuildLab, missing } from "../build/build.suite.ts"
import { builderSuite } from "./builder.suite.ts"

builderSuite(
  "one store",
  async () => {
    const lab = await BuildLab.open()
    const [working, images] = await Promise.all([lab.engine.workingContainers(), lab.engine.images()])
    return { working, images, [Symbol.asyncDispose]: () => lab[Symbol.asyncDispose]() }
  },
  missing,
)
