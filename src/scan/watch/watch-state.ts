import { existsSync, mkdirSync, readFileSync, rmSync, statSync } from "node:fs"
import { join } from "node:path"
import { atomicWrite } from "../../base/atomic-write.ts"

/** What is known of the containers that are watched; its file is there as long as somebody wants it. */
export interface WatchState {
  /** Of which data it was; another one is a reason to look again. */
  database: string
  /** By container: what was found in it, `CVE-2024-1 glibc 2.36-9`. */
  containers: Readonly<Record<string, readonly string[]>>
}

const FILE = "watch.json"
const FRESH: WatchState = { database: "", containers: {} }
const DATABASES = ["vulnerability.db", "trivy.db", "db/trivy.db"]

/** Undefined: nobody wants it. What is damaged begins anew. */
export function readWatchState(directory: string): WatchState | undefined {
  const path = join(directory, FILE)
  if (!existsSync(path)) return undefined
  try {
    const { database, containers } = JSON.parse(readFileSync(path, "utf8")) as Partial<WatchState>
    if (typeof database === "string" && typeof containers === "object" && containers !== null)
      return { database, containers }
  } catch {
    // as if nothing was known
  }
  return FRESH
}

/** Whole, or not at all. */
export function writeWatchState(directory: string, state: WatchState): void {
  atomicWrite(join(directory, FILE), JSON.stringify(state))
}

/** Begins the watch, or ends it. Safe to repeat. */
export function setWatched(directory: string, isWatched: boolean): void {
  if (!isWatched) rmSync(join(directory, FILE), { force: true })
  else if (readWatchState(directory) === undefined) {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    writeWatchState(directory, FRESH)
  }
}

/** Tells one database from the next that comes in its place; empty where there is none. */
export function databaseIdentity(directory: string): string {
  for (const name of DATABASES) {
    const stat = statSync(join(directory, name), { throwIfNoEntry: false })
    if (stat !== undefined) return `${name} ${stat.ino} ${stat.size} ${stat.mtimeMs}`
  }
  return ""
}

/** Whether there are other data, or another container, than was looked at. Costs two looks at files where nothing is watched. */
export function isScanDue(directory: string, running: () => readonly string[]): boolean {
  const state = readWatchState(directory)
  if (state === undefined) return false
  const database = databaseIdentity(directory)
  if (database === "") return false
  return state.database !== database || running().some((id) => !Object.hasOwn(state.containers, id))
}
