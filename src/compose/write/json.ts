import { project as table } from "../load/keys/project-keys.ts"
import type { Project } from "../project.ts"
import { jsonText } from "./json-tree.ts"
import { jsonShape, withNullLists, writtenProject } from "./shape.ts"
import { escapeDollars } from "./yaml.ts"

/** A project as `config --format json` prints it, byte for byte as docker compose; no newline at the end. */
export function projectJson(project: Project): string {
  const written = writtenProject(project)
  const sections = Object.entries(written).flatMap(([name, value]) => {
    const key = table.keys?.[name]
    if (key?.isNotInJson === true) return []
    return [[name, key ? jsonShape(value, key) : withNullLists(value)]]
  })
  return escapeDollars(jsonText(Object.fromEntries(sections), 2))
}

/** Any model with all its keys sorted: what `--no-interpolate` prints. */
export function modelJson(model: object): string {
  return jsonText(withNullLists(model), 2)
}
