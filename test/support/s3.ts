/** A server of S3's protocol from npm, s3rver: installed for one test run, and started for one bucket. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import type { BucketAddress } from "../../src/sys/net/bucket.ts"
import { freePort, eventually } from "./wait.ts"

const PACKAGE = "s3rver@3.7.1"
const KEY = "S3RVER"

export interface S3Server {
  address: BucketAddress
  stop(): Promise<void>
}

/** One in a directory; undefined, and why on standard error, where it cannot be had. */
export async function startS3(directory: string): Promise<S3Server | undefined> {
  const flags = ["--fetch-retries=1", "--fetch-timeout=30000", "--ignore-scripts", "--no-audit", "--no-fund"]
  const done = spawnSync("npm", ["install", "--prefix", directory, ...flags, PACKAGE], {
    encoding: "utf8",
    timeout: 180_000,
  })
  if (done.status !== 0) {
    console.error(`skipped: no S3 server: npm cannot install it: ${(done.stderr ?? "").slice(-200)}`)
    return undefined
  }
  const port = await freePort()
  const program = join(directory, "node_modules/s3rver/bin/s3rver.js")
  const where = ["-d", join(directory, "data"), "-a", "127.0.0.1", "-p", `${port}`, "--configure-bucket", "images"]
  const server = spawn("node", [program, ...where], { stdio: "ignore" })
  const endpoint = `http://127.0.0.1:${port}`
  await eventually(async () => void (await fetch(endpoint)), 30_000)
  return {
    address: { name: "images", prefix: "", endpoint, region: "us-east-1", accessKeyId: KEY, secretAccessKey: KEY },
    stop: () => ended(server),
  }
}

async function ended(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null) return
  const exit = once(server, "exit")
  server.kill()
  await exit
}
