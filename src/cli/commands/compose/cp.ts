import { createReadStream, mkdtempSync, rmSync } from "node:fs"
import { open } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { InvalidArgument, NotFound } from "../../../base/errors.ts"
import type { ProjectContainer } from "../../../compose/compose.ts"
import type { CopyPlace } from "../../../container/container.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { arg } from "../../args.ts"
import { composeCommand } from "../../compose/compose-command.ts"
import type { ComposeSession } from "../../compose/compose-session.ts"
import { copyBetween } from "../../copy-between.ts"
import { placeOf } from "../../copy-place.ts"
import { flag } from "../../flag.ts"
import { standardInput } from "../../../sys/terminal/standard-input.ts"

export default composeCommand({
  summary: "Copy files/folders between a service container and the local filesystem",
  description: "Use '-' as the source to read a tar archive from STDIN, as the destination to write one to STDOUT.",
  args: [arg.one("[SERVICE:]SRC_PATH|-"), arg.one("[SERVICE:]DEST_PATH|-")],
  flags: {
    all: flag.bool("Include containers created by the run command"),
    archive: flag.bool("Archive mode (copy all uid/gid information)", { short: "a" }),
    followLink: flag.bool("Always follow symbol link in SRC_PATH", { short: "L" }),
    index: flag.int("Index of the container if service has multiple replicas"),
  },
  async run({ args: [from, to], flags, compose, engine, out }) {
    const [source, target] = [placeOf(from), placeOf(to)]
    const service = serviceOf(source, target)
    const found = await chosen(compose, service, flags)
    // from one alone, to all
    const places = isInService(source) ? found.slice(0, 1) : found
    const containers = await engine.containers()
    const { archive, followLink } = flags
    using interrupt = new AbortOnInterrupt()
    // standard input can be read once
    using spooled = source === "-" && places.length > 1 && !compose.isDryRun ? await spool() : undefined
    const options = { archive, followLink, abort: interrupt.signal }
    await compose.showing("Copying", async (_, { onEvent, dryRun }) => {
      const copy = async ({ container: { id, name } }: ProjectContainer) => {
        const inside = (place: CopyPlace | "-") => (isInService(place) ? { ...place, container: id } : place)
        const words = isInService(source) ? `${name}:${source.path} to ${to}` : `${from} to ${name}:${pathOf(target)}`
        onEvent?.({ kind: "service", name, state: "Copying", detail: words })
        if (spooled) await containers.writeArchive(id, pathOf(target), createReadStream(spooled.path), options)
        else if (dryRun !== true) await copyBetween(containers, inside(source), inside(target), { ...options, out })
        onEvent?.({ kind: "service", name, state: "Copied", detail: words })
      }
      await Promise.all(places.map(copy))
    })
  },
})

const isInService = (place: CopyPlace | "-"): place is Extract<CopyPlace, { container: string }> =>
  place !== "-" && "container" in place

function pathOf(place: CopyPlace | "-"): string {
  return isInService(place) ? place.path : ""
}

/** The one side that is a service's. Throws InvalidArgument, in docker's words. */
function serviceOf(source: CopyPlace | "-", target: CopyPlace | "-"): string {
  if (isInService(source) && isInService(target))
    throw new InvalidArgument("copying between services is not supported", {
      hint: "copy to a directory of the host first",
    })
  const place = isInService(source) ? source : target
  if (isInService(place)) return place.container
  throw new InvalidArgument("unknown copy direction", { hint: "name the service before the path: web:/etc/hosts" })
}

async function chosen(
  compose: ComposeSession,
  service: string,
  { index, all }: { index: number | undefined; all: boolean },
): Promise<ProjectContainer[]> {
  const name = await compose.name()
  const verbs = await compose.compose()
  if (index !== undefined && index > 0) return [await verbs.container(name, service, { index, all: true })]
  const found = await verbs.containersOf(name, [service], { all: true, oneOffs: all })
  if (found.length === 0) throw new NotFound(`no container found for service "${service}"`, { data: { service } })
  return found
}

/** All of standard input in a file, until disposed. */
async function spool(): Promise<Disposable & { path: string }> {
  const directory = mkdtempSync(join(tmpdir(), "skiff-cp-"))
  const path = join(directory, "archive")
  const dispose = () => rmSync(directory, { recursive: true, force: true })
  try {
    await using file = await open(path, "wx", 0o600)
    for await (const chunk of standardInput()) await file.appendFile(chunk)
  } catch (error) {
    dispose()
    throw error
  }
  return { path, [Symbol.dispose]: dispose }
}
