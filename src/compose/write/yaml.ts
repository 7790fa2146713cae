import type { Project } from "../project.ts"
import { writtenProject, yamlShape } from "./shape.ts"
import { yamlDocument } from "./yaml-tree.ts"

/** A project as `config` prints it, byte for byte as docker compose. */
export function projectYaml(project: Project): string {
  return escapeDollars(yamlDocument(yamlShape(writtenProject(project))))
}

/** Any model with all its keys sorted: what `--no-interpolate` prints. */
export function modelYaml(model: object): string {
  return yamlDocument(model)
}

/** What was read is read the same once more. */
export function escapeDollars(text: string): string {
  return text.replaceAll("$", "$$$$")
}
