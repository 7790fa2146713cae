import { join } from "node:path"
import { isSkiffError } from "../../base/errors.ts"
import { log } from "../../base/log.ts"
import { shortId } from "../../base/short-id.ts"
import type { Container } from "../../container/container.ts"
import type { ScanDeps } from "../deps.ts"
import { SEVERITIES, SILENT_LOOK, type Rescan, type ScanOptions, type Vulnerability } from "../scan.ts"
import { databaseIdentity, readWatchState, writeWatchState } from "./watch-state.ts"

/** Of one container, by the worst: nobody reads more events. */
const MAX_EVENTS = 50
/** Kept of one container, so that what is new is known. */
const MAX_KEPT = 20_000

/**
 * Looks at the running containers again where the data are others than those that they were looked at with, and at those that were not
 * looked at yet. Tells of what is new by events; the first look at a container tells how much there is. Nothing where nobody watches.
 */
export async function rescan(deps: ScanDeps, signal?: AbortSignal): Promise<Rescan> {
  const directory = join(deps.root, "scan")
  const before = readWatchState(directory)
  if (before === undefined) return { looked: 0, added: 0 }
  const database = databaseIdentity(directory)
  const running = (await deps.containers()).list()
  const containers: Record<string, readonly string[]> = {}
  const done: Rescan = { looked: 0, added: 0 }
  for (const container of running) {
    const known = Object.hasOwn(before.containers, container.id) ? before.containers[container.id] : undefined
    if (known !== undefined && before.database === database) {
      containers[container.id] = known
      continue
    }
    // ended meanwhile, or the store is being removed
    if (readWatchState(directory) === undefined) return done
    const found = database === "" ? undefined : await look(deps, container, signal)
    if (found === undefined) {
      if (known !== undefined) containers[container.id] = known
      continue
    }
    done.looked++
    containers[container.id] = found.map(keyOf).slice(0, MAX_KEPT)
    done.added += await tell(deps, container, known, found)
  }
  // it may have been ended meanwhile
  if (readWatchState(directory) !== undefined) writeWatchState(directory, { database, containers })
  return done
}

/** Undefined: it is gone, or cannot be looked at. */
async function look(
  deps: ScanDeps,
  { id }: Container,
  signal: AbortSignal | undefined,
): Promise<readonly Vulnerability[] | undefined> {
  const options: ScanOptions = { ...SILENT_LOOK, scanners: ["vuln"], signal }
  const [{ openSubject }, { scanSubject }] = await Promise.all([
    import("../subject/open-subject.ts"),
    import("../scan-subject.ts"),
  ])
  try {
    await using subject = await openSubject(deps, { kind: "container", name: id }, options)
    return (await scanSubject(deps, subject, options)).vulnerabilities
  } catch (error) {
    signal?.throwIfAborted()
    if (!isSkiffError(error, "NotFound"))
      log.warn(`cannot scan container "${shortId(id)}" again`, { reason: String(error) })
    return undefined
  }
}

/** Gives how many are new. */
async function tell(
  deps: ScanDeps,
  container: Container,
  known: readonly string[] | undefined,
  found: readonly Vulnerability[],
): Promise<number> {
  const events = await deps.events()
  const { id, name, imageName: image } = container
  const append = (action: string, attributes: Readonly<Record<string, string>>) =>
    events.append({ type: "container", action, actor: { id, attributes: { name, image, ...attributes } } })
  if (known === undefined) {
    append("scan", counts(found))
    return 0
  }
  const before = new Set(known)
  const added = found.filter((each) => !before.has(keyOf(each)))
  for (const each of added.slice(0, MAX_EVENTS))
    append("vulnerability", {
      vulnerability: each.id,
      severity: each.severity,
      package: each.package.name,
      version: each.package.version,
      ...(each.fixedVersions[0] === undefined ? {} : { fixed: each.fixedVersions.join(", ") }),
    })
  if (added.length > MAX_EVENTS) append("scan", { more: String(added.length - MAX_EVENTS), ...counts(added) })
  return added.length
}

function counts(found: readonly Vulnerability[]): Record<string, string> {
  return Object.fromEntries(
    SEVERITIES.toReversed().flatMap((severity) => {
      const count = found.filter((each) => each.severity === severity).length
      return count === 0 ? [] : [[severity, String(count)]]
    }),
  )
}

function keyOf({ id, package: { name, version, path = "" } }: Vulnerability): string {
  return `${id} ${name} ${version} ${path}`
}
