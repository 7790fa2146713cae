/** One build in a process of its own: `build-once.suite.ts DIRECTORY DOCKERFILE-TEXT`; it may be made to die (SKIFF_CRASH_AT). */
import { join } from "node:path"
import { openEngine } from "../engine/open.ts"
import { requestOf } from "./build.suite.ts"

const [directory = "", text = ""] = process.argv.slice(2)
// called as skiff itself, to sweep what the dead build left: the tests look at what the next build does about it
if (directory.startsWith("--")) process.exit(0)
const engine = openEngine({ root: join(directory, "root"), runRoot: join(directory, "run") })
const builds = await engine.builds()
const result = await builds.build(requestOf(text, join(directory, "context"), { tags: ["once"] }), () => {})
console.log(result.images[0]?.id)
