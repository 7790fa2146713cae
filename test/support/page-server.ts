import type { Skiff } from "./skiff.ts"
import { eventually } from "./wait.ts"

const SERVE = 'mkdir -p /www; echo "page of $(hostname)" > /www/index.html; exec httpd -f -p 80 -h /www'

/** Runs a container of that name which serves `page of NAME` at its port 80. */
export function servePage(skiff: Skiff, name: string, ...flags: string[]): Promise<string> {
  return skiff.ok("run", "-d", "--name", name, "--hostname", name, ...flags, "busybox", "sh", "-c", SERVE)
}

/** What is served at `host:port`, waited for. */
export function pageAt(address: string): Promise<string> {
  return eventually(async () => (await fetch(`http://${address}/`, { signal: AbortSignal.timeout(2_000) })).text())
}
