/** What /etc/hosts of a container says of its networks, and what others call it there. */
import { readFileSync, writeFileSync } from "node:fs"
import { log } from "../base/log.ts"
import { shortId } from "../base/short-id.ts"
import type { NetworkAttachment } from "./container.ts"
import { containerFilePaths, writeHostsFile } from "./container-files.ts"
import type { ContainerDeps } from "./deps.ts"
import type { ContainerRecord } from "./record.ts"

/** All that a container is called on one of its networks: its name, further names, the short id, its host name. */
export function namesOn({ id, name, spec }: ContainerRecord, { aliases = [] }: NetworkAttachment): string[] {
  return [...new Set([name, ...aliases, shortId(id), spec.run.hostname])]
}

/** Writes the file for all networks that the container is on by now; the uplink's address comes first. */
export function writeHosts(deps: ContainerDeps, record: ContainerRecord, uplink: NetworkAttachment | undefined): void {
  const { attachments } = record.state
  const others = attachments.filter((one) => one !== uplink)
  const lines = [
    ...others.flatMap((one) => ownLines(record, one)),
    ...attachments.flatMap((one) => linkLines(deps, record, one)),
  ]
  writeHostsFile(deps, record, uplink?.endpoint, lines.join(""))
}

/** Adds the lines of one more network to what is there, which may be the container's own work by now. */
export function addToHosts(deps: ContainerDeps, record: ContainerRecord, attachment: NetworkAttachment): void {
  const lines = [...ownLines(record, attachment), ...linkLines(deps, record, attachment)]
  changeHosts(deps, record, (text) => `${text}${text.endsWith("\n") || text === "" ? "" : "\n"}${lines.join("")}`)
}

/** Takes the lines out that name these addresses. */
export function takeFromHosts(deps: ContainerDeps, record: ContainerRecord, attachment: NetworkAttachment): void {
  const lines = new Set([...ownLines(record, attachment), ...linkLines(deps, record, attachment, { quiet: true })])
  changeHosts(deps, record, (text) =>
    text
      .split(/(?<=\n)/)
      .filter((line) => !lines.has(line))
      .join(""),
  )
}

function changeHosts(deps: ContainerDeps, record: ContainerRecord, change: (text: string) => string): void {
  const path = containerFilePaths(deps, record).hosts
  try {
    writeFileSync(path, change(readFileSync(path, "utf8")))
  } catch (error) {
    // the container may have filled its file system
    log.warn(`the hosts file of container "${record.name}" is as it was`, { reason: String(error) })
  }
}

/** Of its own name. */
function ownLines({ spec }: ContainerRecord, { endpoint }: NetworkAttachment): string[] {
  const { hostname } = spec.run
  const names = spec.options.domainname ? `${hostname}.${spec.options.domainname} ${hostname}` : hostname
  return addressesOf(endpoint).map((address) => `${address}\t${names}\n`)
}

/** Of containers that it knows by names of its own, where they are now. */
function linkLines(
  deps: ContainerDeps,
  record: ContainerRecord,
  { network, links = [] }: NetworkAttachment,
  { quiet = false }: { quiet?: boolean } = {},
): string[] {
  return links.flatMap((link) => {
    const [name = "", alias = name] = link.split(":")
    const target = deps.records.find(name)
    const endpoint = target?.state.attachments.find((one) => one.network === network)?.endpoint
    const names = [...new Set([alias, target?.name, target?.spec.run.hostname])].join(" ")
    if (endpoint !== undefined) return addressesOf(endpoint).map((address) => `${address}\t${names}\n`)
    if (!quiet)
      log.warn(
        `container "${record.name}" does not find "${name}" as "${alias}": it is not on network "${network}" now`,
      )
    return []
  })
}

/** Of both families. */
function addressesOf(endpoint: NetworkAttachment["endpoint"]): string[] {
  return [endpoint?.address, endpoint?.address6].filter((address) => address !== undefined)
}
