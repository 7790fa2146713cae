import type { DownReport, KubeWarning, PlayReport } from "../../kube/kube.ts"
import type { Out } from "../out.ts"

/** What was made, in podman's words; gives the number of containers that could not be started. */
export async function tellPlayed(
  { volumes, secrets, pods }: PlayReport,
  out: Out,
  report: (error: unknown) => Promise<number>,
): Promise<number> {
  tellList(out, "Volumes:", volumes)
  tellList(out, "Secrets:", secrets)
  let failed = 0
  for (const { id, containers, failures } of pods) {
    tellList(out, "Pod:", [id])
    tellList(out, containers.length === 1 ? "Container:" : "Containers:", containers)
    failed += failures.length
    if (failures.length > 0) out.line("")
    for (const failure of failures) await report(failure)
    out.line("")
  }
  return failed
}

/** What was taken away, in podman's words. */
export async function tellDown(
  { stopped, removed, secrets, volumes, failures }: DownReport,
  out: Out,
  report: (error: unknown) => Promise<number>,
): Promise<number> {
  const lists = [
    ["Pods stopped:", stopped],
    ["Pods removed:", removed],
    ["Secrets removed:", secrets],
    ["Volumes removed:", volumes],
  ] as const
  for (const [title, lines] of lists) {
    out.line(title)
    for (const line of lines) out.line(line)
  }
  let code = 0
  for (const failure of failures) code = await report(failure)
  return code
}

/** As one line. */
export function warningLine({ place, object, path, text }: KubeWarning): string {
  return `${place}: ${object}: ${path === undefined ? "" : `${path}: `}${text}`
}

function tellList(out: Out, title: string, lines: readonly string[]): void {
  if (lines.length === 0) return
  out.line(title)
  for (const line of lines) out.line(line)
}
