/** A program that does what skiff's main does first, then tells where it is. Compiled by pause process.test.ts. */
import { readlinkSync } from "node:fs"
import { defaultPaths, rootlessGid, rootlessUid } from "../../fs/paths.ts"
import { enterRootless } from "../enter.ts"
import { runInNamespaces } from "../unshare.ts"
import { rootlessNetns } from "../namespaces.ts"

function namespace(kind: string): string {
  return readlinkSync(`/proc/self/ns/${kind}`)
}

async function main(): Promise<void> {
  const argv = process.argv.slice(2)
  const idleSeconds = Number(process.env.TEST_IDLE_SECONDS ?? 20)
  if (process.getuid?.() !== 0) await enterRootless(argv, { idleSeconds })
  const [verb, program, ...words] = argv
  if (verb === "unshare" && program !== undefined) runInNamespaces([program, ...words])
  const seen = {
    argv,
    cwd: process.cwd(),
    uid: process.getuid?.(),
    rootlessUid: rootlessUid(),
    rootlessGid: rootlessGid(),
    netnsFile: rootlessNetns(),
    runRoot: defaultPaths().runRoot,
    user: namespace("user"),
    mount: namespace("mnt"),
    net: namespace("net"),
  }
  process.stdout.write(JSON.stringify(seen))
}

void main()
