import type { Container } from "../container/container.ts"

/** What `logs --details` shows: the tag, and variables and labels that `--log-opt env=…, labels=…` names. Pure. */
export function logDetails({ options }: Pick<Container, "options">): string {
  const { labels = "", env = "", tag } = options.log.options
  const variables = Object.fromEntries(
    options.env.map((entry) => [entry.split("=", 1)[0] ?? "", entry.slice(entry.indexOf("=") + 1)]),
  )
  const pairs = [...(tag === undefined ? [] : [["tag", tag]]), ...pick(variables, env), ...pick(options.labels, labels)]
  return pairs.map(([name, value]) => `${name}=${value}`).join(",")
}

function pick(values: Readonly<Record<string, string>>, names: string): [string, string][] {
  return names.split(",").flatMap((name) => (Object.hasOwn(values, name) ? [[name, values[name] ?? ""]] : []))
}
