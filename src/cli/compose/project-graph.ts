import type { Project, Service } from "../../compose/compose.ts"

/** What stands in a service's node besides its name. */
export interface GraphOptions {
  /** Before each line inside. */
  indentation: string
  image: boolean
  networks: boolean
  ports: boolean
}

/** The project as a digraph of Graphviz: services, with arrows to what they depend on. Pure. */
export function projectGraph(project: Project, options: GraphOptions): string {
  const services = Object.entries(project.services).toSorted(([a], [b]) => (a < b ? -1 : 1))
  const nodes = services.map(
    ([name, service]) => `${quoted(name)} [style="filled" label=<${label(name, service, project, options)}>];`,
  )
  const edges = services.flatMap(([name, { depends_on: needs = {} }]) =>
    Object.keys(needs)
      .toSorted()
      .map((other) => `${quoted(name)} -> ${quoted(other)};`),
  )
  const indented = (lines: readonly string[]) => lines.map((line) => `${options.indentation}${line}\n`).join("")
  return `digraph ${quoted(project.name)} {\n${indented(["layout=dot;", ...nodes])}\n${indented(edges)}}\n`
}

function label(name: string, service: Service, project: Project, { image, networks, ports }: GraphOptions): string {
  const portTexts = (service.ports ?? []).map(
    ({ host_ip: address, published = "", target, protocol = "tcp", mode = "ingress" }) =>
      `${address === undefined || address === "" ? "" : `${address}:`}${published}:${target} (${protocol}, ${mode})`,
  )
  return [
    `<font point-size="15">${escaped(name)}</font>`,
    ...(networks ? section("Networks", networksOf(service)) : []),
    ...(ports ? section("Ports", portTexts) : []),
    ...(image ? section("Image", [service.image ?? `${project.name}-${name}`]) : []),
  ].join("")
}

function section(title: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return []
  const text = lines.map((line) => `<br/>${escaped(line)}`).join("")
  return [`<font point-size="10"><br/><br/><b>${title}:</b>${text}</font>`]
}

/** The one that has the uplink first. */
function networksOf({ networks = {} }: Service): string[] {
  return Object.entries(networks)
    .toSorted(([a, one], [b, other]) => (other?.priority ?? 0) - (one?.priority ?? 0) || (a < b ? -1 : 1))
    .map(([name]) => name)
}

function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
}
