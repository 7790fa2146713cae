import type { ExplainedVariable } from "./load/explain-environment.ts"
import type { ModelVariable } from "./load/interpolate.ts"
import type { LoadedModel, LoadRequest, LoadWarning } from "./load/load.ts"
import type { Project } from "./project.ts"

export type { ExplainedVariable, VariableSource } from "./load/explain-environment.ts"
export type { ModelVariable } from "./load/interpolate.ts"
export type { LoadedModel } from "./load/load.ts"

/** Of a model's text. */
export type ModelFormat = "yaml" | "json"

/** What a project is, in words: nothing of it needs to be there. */
export interface ComposeRendering {
  /** The project in its long form, byte for byte as docker compose writes it. */
  render(project: Project, format: ModelFormat): Promise<string>
  /** Its services' images and nothing else: a file that overrides them. */
  renderImages(project: Project, format: ModelFormat): Promise<string>
  /** The merged files in their long form, all services, before it is looked at what they mean. Throws as `load`. */
  readModel(request: LoadRequest): Promise<LoadedModel>
  /** A model so read, all keys sorted. */
  renderModel(model: LoadedModel["model"], format: ModelFormat): Promise<string>
  /** Variables that the files name, by name. Throws as `load`. */
  variables(request: LoadRequest): Promise<{ variables: ModelVariable[]; warnings: LoadWarning[] }>
  /** Each variable of the project's environment, and where it is from. Throws as `load`. */
  explainEnvironment(request: LoadRequest, project: Project): Promise<ExplainedVariable[]>
  /** What the label `config-hash` of each service's containers is. */
  hashes(project: Project): Promise<Record<string, string>>
  /** Services, each after those that it depends on. */
  inOrder(project: Project): Promise<string[]>
}
