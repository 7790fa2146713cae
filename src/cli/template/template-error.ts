import { InvalidArgument } from "../../base/errors.ts"

const SAMPLES = "the words of docker's templates: {{.Names}}, {{json .}}, {{range .Mounts}}{{.Source}}{{end}}"

/** A fault of the template, with its line and column. */
export function templateError(template: string, at: number, why: string, hint = SAMPLES): InvalidArgument {
  const before = template.slice(0, at)
  const line = before.split("\n").length
  const column = at - before.lastIndexOf("\n")
  return new InvalidArgument(`template parsing error: ${line}:${column}: ${why}`, { hint })
}
